package schemaregistry

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/llm/schema-registry-go/internal/engine"
)

// EventStream iterates every change in order, without end: it reconnects after a lost connection, and delivers no event
// twice.
//
//	for events.Next() { handle(events.Value()) }
//	return events.Err()
type EventStream struct {
	client   *Client
	ctx      context.Context
	cancel   context.CancelFunc
	query    url.Values
	after    int64
	lastID   string
	failures int
	body     io.ReadCloser
	lines    *bufio.Reader
	idle     *time.Timer
	value    Event
	err      error
}

// Events reads changes of the registry. Store an event's Seq once it is handled, and pass it as WithAfter next time. GET /events.
func (c *Client) Events(ctx context.Context, options ...EventOption) *EventStream {
	request := eventRequest{query: url.Values{}, after: -1}
	for _, option := range options {
		option(&request)
	}
	ctx, cancel := context.WithCancel(ctx)
	return &EventStream{client: c, ctx: ctx, cancel: cancel, query: request.query, after: request.after, err: c.err}
}

// Next waits for the next event. It returns false when the context ends, on Close, on a refusal, and on an event that cannot be read.
func (s *EventStream) Next() bool {
	for s.err == nil {
		if s.lines == nil {
			s.connect()
			continue
		}
		event, err := s.read()
		if errors.Is(err, ErrBadAnswer) {
			s.err = err
			break
		}
		if err != nil {
			s.disconnect()
			s.pause(0)
			continue
		}
		s.failures = 0
		s.lastID = event.ID
		if event.Seq > s.after {
			s.after = event.Seq
			s.value = event
			return true
		}
	}
	s.disconnect()
	return false
}

// Value is the event that Next waited for.
func (s *EventStream) Value() Event { return s.value }

// Err is what ended the stream.
func (s *EventStream) Err() error { return s.err }

// Close ends the stream.
func (s *EventStream) Close() {
	s.cancel()
	s.disconnect()
}

func (s *EventStream) connect() {
	address := s.client.settings.BaseURL + "/api/v1/events"
	query := url.Values{}
	for name, values := range s.query {
		query[name] = values
	}
	if s.lastID == "" && s.after >= 0 {
		query.Set("after", strconv.FormatInt(s.after, 10))
	}
	if text := query.Encode(); text != "" {
		address += "?" + text
	}
	request, err := http.NewRequestWithContext(s.ctx, http.MethodGet, address, nil)
	if err != nil {
		s.err = err
		return
	}
	for name, value := range s.client.settings.Headers {
		request.Header.Set(name, value)
	}
	request.Header.Set("Accept", "text/event-stream")
	if s.lastID != "" {
		request.Header.Set("Last-Event-ID", s.lastID)
	}
	response, err := s.client.config.http.Do(request)
	if err != nil {
		s.pause(0)
		return
	}
	s.body = response.Body
	body := response.Body
	s.idle = time.AfterFunc(engine.EventIdle, func() { _ = body.Close() })
	if response.StatusCode != http.StatusOK {
		s.refused(response)
		return
	}
	s.lines = bufio.NewReader(response.Body)
}

// refused ends the stream, unless the refusal is temporary.
func (s *EventStream) refused(response *http.Response) {
	defer s.disconnect()
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		retryAfter, _ := engine.ParseRetryAfter(response.Header.Get("Retry-After"), s.client.config.clock.Wall())
		s.pause(retryAfter)
		return
	}
	// A body that does not end is left out: the status says enough.
	s.idle.Reset(s.client.settings.AttemptTimeout)
	body, _ := io.ReadAll(io.LimitReader(response.Body, engine.MaxAnswerBytes))
	failure := &engine.Failure{Kind: engine.Refusal, Status: response.StatusCode, Header: response.Header, Body: body, Attempts: 1}
	if response.StatusCode < 400 {
		failure.Kind = engine.BadAnswer
	}
	var problem struct {
		Code string `json:"code"`
	}
	if json.Unmarshal(body, &problem) == nil {
		failure.Problem, failure.Code = problem.Code != "", problem.Code
	}
	s.err = describeError(failure)
}

func (s *EventStream) read() (Event, error) {
	var data strings.Builder
	for {
		line, err := s.lines.ReadString('\n')
		if err != nil {
			return Event{}, err
		}
		s.idle.Reset(engine.EventIdle)
		line = strings.TrimRight(line, "\r\n")
		if text := strings.TrimPrefix(line, "data:"); text != line {
			data.WriteString(strings.TrimPrefix(text, " "))
			continue
		}
		if line != "" || data.Len() == 0 {
			continue
		}
		event, err := parseEvent(data.String())
		if err != nil {
			// Reading it again would give the same event.
			return Event{}, badAnswer(&engine.Answer{Status: http.StatusOK, Attempts: 1}, err)
		}
		return event, nil
	}
}

func parseEvent(text string) (Event, error) {
	var event Event
	var position struct {
		Seq *int64 `json:"seq"`
	}
	if err := json.Unmarshal([]byte(text), &event); err != nil {
		return Event{}, err
	}
	if err := json.Unmarshal(event.Data, &position); err != nil {
		return Event{}, err
	}
	if position.Seq == nil {
		return Event{}, errors.New("the event has no seq")
	}
	event.Seq = *position.Seq
	return event, nil
}

func (s *EventStream) disconnect() {
	if s.body != nil {
		s.idle.Stop()
		_ = s.body.Close()
	}
	s.body, s.lines = nil, nil
}

// pause waits before another connection, never shorter than the registry asks for.
func (s *EventStream) pause(retryAfter time.Duration) {
	if err := s.ctx.Err(); err != nil {
		s.err = err
		return
	}
	s.failures++
	wait := engine.Jitter(s.failures, s.client.config.random(), engine.LongestEventWait)
	if wait == 0 {
		wait = engine.FirstWait / 10
	}
	if err := s.client.config.clock.Sleep(s.ctx, retryAfter+wait); err != nil {
		s.err = err
	}
}
