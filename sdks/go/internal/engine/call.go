package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Clock is the client's only source of time.
type Clock interface {
	// Monotonic is the time since an arbitrary start; it never goes back.
	Monotonic() time.Duration
	Wall() time.Time
	// Sleep waits, or returns the context's error when that ends first.
	Sleep(ctx context.Context, wait time.Duration) error
}

// TokenUse says which token is sent.
type TokenUse int

const (
	SendSeen TokenUse = iota
	// SendNone is for search, whose index lags, and for stateless operations.
	SendNone
	SendWrote
)

// Operation is the request that a method makes.
type Operation struct {
	// Name is that of the OpenAPI document.
	Name, Method string
	// Path is below /api/v1, its parts percent-encoded.
	Path     string
	Query    url.Values
	JSON     any
	Headers  map[string]string
	TakesKey bool
	Writes   bool
	Token    TokenUse
}

// CallOptions are the options of one call.
type CallOptions struct {
	IdempotencyKey string
	MinToken       *Token
}

// Answer is the registry's answer and the number of attempts.
type Answer struct {
	Status   int
	Header   http.Header
	Body     []byte
	Token    *Token
	Attempts int
}

// Event is one attempt or one call, for the metrics hook and the log.
type Event struct {
	Kind, Operation string
	Attempt, Status int
	Code            string
	Duration, Wait  time.Duration
	Source          string
	Breaker         BreakerState
	// Line describes an attempt for a debug log, without secrets.
	Line string
}

// Failure is a call that did not succeed; the client turns it into its own errors.
type Failure struct {
	Kind       FailureKind
	Status     int
	Header     http.Header
	Body       []byte
	Problem    bool
	Code       string
	RetryAfter time.Duration
	HasRetry   bool
	Sent       bool
	Attempts   int
	Timeout    time.Duration
	Cause      error
}

// FailureKind says how a call ended.
type FailureKind int

const (
	// Refusal is an answer of the registry or of a gateway.
	Refusal FailureKind = iota
	// Lost is a failed connection, or an attempt whose time ran out.
	Lost
	Deadline
	CircuitOpen
	BadAnswer
)

func (f *Failure) Error() string { return fmt.Sprintf("failure %d", f.Kind) }

// Settings are what calls need.
type Settings struct {
	BaseURL        string
	Headers        map[string]string
	Timeout        time.Duration
	AttemptTimeout time.Duration
	MaxAttempts    int
	HTTP           *http.Client
	Clock          Clock
	Random         func() float64
	Tokens         *Tokens
	Breaker        *Breaker
	Emit           func(Event)
}

// limits are tighter while a stale value is available.
type limits struct {
	maxAttempts int
	timeout     time.Duration
}

// NewID is a random UUID.
func NewID() string {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(err)
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Run makes one logical call: attempts, waits, the deadline, the breaker and the tokens.
func (s *Settings) Run(ctx context.Context, operation Operation, options CallOptions) (*Answer, error) {
	return s.run(ctx, operation, options, limits{s.MaxAttempts, s.AttemptTimeout}, false)
}

func (s *Settings) run(ctx context.Context, operation Operation, options CallOptions, bounds limits, hasStandIn bool) (*Answer, error) {
	request, body, err := s.build(operation, options)
	if err != nil {
		return nil, err
	}
	mayRepeat := operation.TakesKey || !operation.Writes
	deadline := s.Clock.Monotonic() + s.Timeout
	var last *Failure
	for attempt := 1; ; attempt++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		began := s.Clock.Monotonic()
		left := deadline - began
		if left <= 0 {
			return nil, orFailure(last, &Failure{Kind: Deadline, Attempts: attempt - 1, Timeout: s.Timeout})
		}
		generation, retryAfter, admitted := s.Breaker.admit(began)
		if !admitted {
			return nil, orFailure(last, &Failure{Kind: CircuitOpen, Attempts: attempt - 1, RetryAfter: retryAfter})
		}
		attemptTimeout := bounds.timeout
		if left < attemptTimeout {
			attemptTimeout = left
		}
		result := s.attempt(ctx, request, body, attemptTimeout)
		if err := ctx.Err(); err != nil && result.lost != nil {
			s.Breaker.report(generation, Silent, s.Clock.Monotonic())
			return nil, err
		}
		outcome := result.outcome()
		if hasStandIn && result.timedOut {
			outcome = Silent
		}
		s.Breaker.report(generation, outcome, s.Clock.Monotonic())
		answer, failure := s.judge(operation, result, attempt)
		event := Event{Kind: "attempt", Operation: operation.Name, Attempt: attempt, Status: result.status, Source: "network", Breaker: s.Breaker.State()}
		event.Duration = s.Clock.Monotonic() - began
		if failure == nil {
			s.report(event, request)
			return answer, nil
		}
		goesOn := attempt < bounds.maxAttempts && failure.isRetried(result, mayRepeat) && s.Breaker.State() != Open
		if goesOn {
			event.Wait = failure.RetryAfter + Jitter(attempt, s.Random(), LongestWait)
		}
		event.Code = failure.Code
		s.report(event, request)
		last = failure
		if result.timedOut && attemptTimeout >= left {
			last = &Failure{Kind: Deadline, Attempts: attempt, Timeout: s.Timeout}
		}
		if !goesOn || event.Wait >= deadline-s.Clock.Monotonic() {
			return nil, last
		}
		if err := s.Clock.Sleep(ctx, event.Wait); err != nil {
			return nil, err
		}
	}
}

func orFailure(last, otherwise *Failure) *Failure {
	if last != nil {
		return last
	}
	return otherwise
}

type result struct {
	status   int
	header   http.Header
	body     []byte
	code     string
	lost     error
	timedOut bool
	hopeless bool
	sent     bool
}

func (s *Settings) attempt(ctx context.Context, template *http.Request, body []byte, timeout time.Duration) result {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request := template.Clone(ctx)
	// A body without GetBody keeps net/http from repeating a request by itself, uncounted and at once. An empty one is not sent.
	request.Body = io.NopCloser(bytes.NewReader(body))
	request.GetBody = nil
	if body != nil {
		request.ContentLength = int64(len(body))
	}
	response, err := s.HTTP.Do(request)
	if err != nil {
		return describeFailure(ctx, err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(io.LimitReader(response.Body, MaxAnswerBytes))
	if err != nil {
		return describeFailure(ctx, err)
	}
	return result{status: response.StatusCode, header: response.Header, body: read, code: problemCode(response, read)}
}

func describeFailure(ctx context.Context, err error) result {
	failed := result{lost: err, timedOut: errors.Is(ctx.Err(), context.DeadlineExceeded), sent: !isNotSent(err)}
	failed.hopeless = isHopeless(err)
	return failed
}

func problemCode(response *http.Response, body []byte) string {
	if response.StatusCode < 400 || !strings.Contains(response.Header.Get("Content-Type"), "json") {
		return ""
	}
	var problem struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(body, &problem) != nil {
		return ""
	}
	return problem.Code
}

// outcome is a failure only if the registry itself did not answer; anything else shows that it is up.
func (r result) outcome() Outcome {
	if r.lost != nil {
		if r.hopeless {
			return Silent
		}
		return Failed
	}
	if r.status == http.StatusBadGateway || r.status == http.StatusGatewayTimeout {
		return Failed
	}
	if r.status == http.StatusServiceUnavailable && r.code != "not_ready" && r.code != "busy" && r.code != "rate_limited" {
		return Failed
	}
	return Alive
}

func (s *Settings) judge(operation Operation, r result, attempts int) (*Answer, *Failure) {
	if r.lost != nil {
		return nil, &Failure{Kind: Lost, Code: "connection_lost", Sent: r.sent, Attempts: attempts, Cause: r.lost}
	}
	var token *Token
	if operation.Token != SendNone {
		token = s.Tokens.learn(r.header.Get("X-Registry-Seq"), operation.Writes && r.status < 400)
	}
	if r.status == http.StatusNotModified || r.status >= 200 && r.status < 300 {
		return &Answer{Status: r.status, Header: r.header, Body: r.body, Token: token, Attempts: attempts}, nil
	}
	failure := &Failure{Kind: Refusal, Status: r.status, Header: r.header, Body: r.body, Problem: r.code != "", Code: r.code, Attempts: attempts}
	if r.status < 400 {
		failure.Kind = BadAnswer
		failure.Code = "bad_answer"
		return nil, failure
	}
	failure.RetryAfter, failure.HasRetry = ParseRetryAfter(r.header.Get("Retry-After"), s.Clock.Wall())
	return nil, failure
}

func (f *Failure) isRetried(r result, mayRepeat bool) bool {
	switch f.Kind {
	case Lost:
		return !r.hopeless && (mayRepeat || !r.sent)
	case Refusal:
		return isRetriedStatus(f.Status, mayRepeat)
	}
	return false
}

func (s *Settings) build(operation Operation, options CallOptions) (*http.Request, []byte, error) {
	var body []byte
	if operation.JSON != nil {
		var buffer bytes.Buffer
		encoder := json.NewEncoder(&buffer)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(operation.JSON); err != nil {
			return nil, nil, err
		}
		body = buffer.Bytes()
	}
	address := s.BaseURL + "/api/v1" + operation.Path
	if query := operation.Query.Encode(); query != "" {
		address += "?" + query
	}
	request, err := http.NewRequest(operation.Method, address, nil)
	if err != nil {
		return nil, nil, err
	}
	for _, headers := range []map[string]string{s.Headers, operation.Headers} {
		for name, value := range headers {
			request.Header.Set(name, value)
		}
	}
	request.Header.Set("X-Request-ID", NewID())
	if operation.TakesKey {
		key := options.IdempotencyKey
		if key == "" {
			key = "auto-" + NewID()
		}
		request.Header.Set("Idempotency-Key", key)
	}
	if token := s.tokenToSend(operation, options); token != nil {
		request.Header.Set("X-Registry-Min-Seq", token.Text)
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	return request, body, nil
}

func (s *Settings) tokenToSend(operation Operation, options CallOptions) *Token {
	switch operation.Token {
	case SendNone:
		return nil
	case SendWrote:
		return NewestToken(s.Tokens.Wrote(), options.MinToken)
	}
	return NewestToken(s.Tokens.Seen(), options.MinToken)
}

// loggedHeaders are those whose values a log may hold. Everything else may be a secret.
var loggedHeaders = []string{"X-Request-ID", "X-Registry-Min-Seq", "If-None-Match", "User-Agent"}

func (s *Settings) report(event Event, request *http.Request) {
	var line strings.Builder
	result := event.Code
	if event.Status != 0 {
		result = fmt.Sprint(event.Status)
	}
	fmt.Fprintf(&line, "%s %s %s %dms attempt=%d", request.Method, request.URL.EscapedPath(), result, event.Duration.Milliseconds(), event.Attempt)
	for _, name := range loggedHeaders {
		if value := request.Header.Get(name); value != "" {
			fmt.Fprintf(&line, " %s=%s", name, value)
		}
	}
	event.Line = line.String()
	s.Emit(event)
}
