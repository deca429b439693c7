package schemaregistry

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/llm/schema-registry-go/internal/engine"
)

// Sentinels for errors.Is. An error of the registry matches the one of its code.
var (
	ErrBadRequest         = errors.New("bad request")
	ErrUnauthorized       = errors.New("unauthorized")
	ErrForbidden          = errors.New("forbidden")
	ErrNotFound           = errors.New("not found")
	ErrConflict           = errors.New("conflict")
	ErrVersionExists      = errors.New("version exists")
	ErrProtected          = errors.New("protected")
	ErrFrozen             = errors.New("frozen")
	ErrIncompatible       = errors.New("incompatible schema")
	ErrPreconditionFailed = errors.New("precondition failed")
	ErrInvalidSchema      = errors.New("invalid schema")
	ErrTooComplex         = errors.New("too complex")
	ErrPayloadTooLarge    = errors.New("payload too large")
	ErrRateLimited        = errors.New("rate limited")
	ErrUnavailable        = errors.New("unavailable")
	ErrStorageFull        = errors.New("storage full")
	ErrServer             = errors.New("server error")
	ErrConnectionLost     = errors.New("connection lost")
	ErrDeadlineExceeded   = errors.New("deadline exceeded")
	ErrCircuitOpen        = errors.New("circuit open")
	ErrBadAnswer          = errors.New("bad answer")
	ErrConfiguration      = errors.New("configuration error")
)

var sentinelOfCode = map[string]error{
	"bad_request":           ErrBadRequest,
	"unauthorized":          ErrUnauthorized,
	"forbidden":             ErrForbidden,
	"not_found":             ErrNotFound,
	"conflict":              ErrConflict,
	"version_exists":        ErrVersionExists,
	"protected":             ErrProtected,
	"frozen":                ErrFrozen,
	"incompatible_schema":   ErrIncompatible,
	"precondition_failed":   ErrPreconditionFailed,
	"precondition_required": ErrPreconditionFailed,
	"invalid_schema":        ErrInvalidSchema,
	"unsupported":           ErrInvalidSchema,
	"too_complex":           ErrTooComplex,
	"payload_too_large":     ErrPayloadTooLarge,
	"rate_limited":          ErrRateLimited,
	"not_ready":             ErrUnavailable,
	"busy":                  ErrUnavailable,
	"storage_full":          ErrStorageFull,
	"internal":              ErrServer,
	"http_429":              ErrRateLimited,
	"http_500":              ErrServer,
	"http_502":              ErrUnavailable,
	"http_503":              ErrUnavailable,
	"http_504":              ErrUnavailable,
}

// ErrorPlace is one error in a request, with its location.
type ErrorPlace struct {
	Pointer string `json:"pointer"`
	Rule    string `json:"rule"`
	Message string `json:"message"`
}

// APIError is an error response of the registry.
type APIError struct {
	// Code is the problem's code, or http_<status> if a gateway answered.
	Code      string
	Status    int
	Title     string
	Detail    string
	Errors    []ErrorPlace
	RequestID string
	// RetryAfter is what the registry asks to wait; 0 where it asks for none.
	RetryAfter time.Duration
	Attempts   int
	// Problem is the whole problem document, unknown members included.
	Problem json.RawMessage
}

func (e *APIError) Error() string {
	text := e.Code + ": " + e.Detail
	if e.RequestID != "" {
		text += " (request " + e.RequestID + ")"
	}
	return text
}

// Is matches the sentinel of the error's code.
func (e *APIError) Is(target error) bool { return sentinelOfCode[e.Code] == target }

// IncompatibleError is a refused registration; Verdict says what it would break and shows data that breaks.
type IncompatibleError struct {
	APIError
	Verdict Verdict
}

// Unwrap gives the APIError, for errors.As.
func (e *IncompatibleError) Unwrap() error { return &e.APIError }

// ClientError is a failure of this client or of the connection.
type ClientError struct {
	// Code is connection_lost, deadline_exceeded, circuit_open, bad_answer or configuration_error.
	Code     string
	Message  string
	Attempts int
	// MayHaveBeenSent is false only if no connection was made.
	MayHaveBeenSent bool
	RetryAfter      time.Duration
	sentinel        error
	cause           error
}

func (e *ClientError) Error() string { return e.Code + ": " + e.Message }

// Is matches the sentinel of the error's code.
func (e *ClientError) Is(target error) bool { return e.sentinel == target }

// Unwrap gives the cause.
func (e *ClientError) Unwrap() error { return e.cause }

func configurationError(format string, args ...any) error {
	return &ClientError{Code: "configuration_error", Message: fmt.Sprintf(format, args...), sentinel: ErrConfiguration}
}

// describeError turns the engine's failures into errors; a context's own error stays as it is.
func describeError(err error) error {
	var failure *engine.Failure
	if !errors.As(err, &failure) {
		return err
	}
	client := &ClientError{Attempts: failure.Attempts, MayHaveBeenSent: true, cause: failure.Cause}
	switch failure.Kind {
	case engine.Refusal:
		return refusal(failure)
	case engine.Lost:
		client.Code, client.sentinel, client.MayHaveBeenSent = "connection_lost", ErrConnectionLost, failure.Sent
		client.Message = "the registry did not answer, or the connection to it failed"
	case engine.Deadline:
		client.Code, client.sentinel = "deadline_exceeded", ErrDeadlineExceeded
		client.Message = fmt.Sprintf("the call did not end within %s", failure.Timeout)
	case engine.CircuitOpen:
		client.Code, client.sentinel, client.MayHaveBeenSent = "circuit_open", ErrCircuitOpen, false
		client.RetryAfter = failure.RetryAfter
		client.Message = fmt.Sprintf("the registry did not answer; the next attempt is made in %s", failure.RetryAfter)
	case engine.BadAnswer:
		client.Code, client.sentinel = "bad_answer", ErrBadAnswer
		client.Message = fmt.Sprintf("an answer of status %d is not what the contract says", failure.Status)
	}
	return client
}

func refusal(failure *engine.Failure) error {
	var problem struct {
		Title   string       `json:"title"`
		Detail  string       `json:"detail"`
		Errors  []ErrorPlace `json:"errors"`
		Verdict *Verdict     `json:"verdict"`
	}
	api := APIError{
		Code:       failure.Code,
		Status:     failure.Status,
		RequestID:  failure.Header.Get("X-Request-ID"),
		RetryAfter: failure.RetryAfter,
		Attempts:   failure.Attempts,
	}
	if !failure.Problem {
		api.Code = fmt.Sprintf("http_%d", failure.Status)
		api.Detail = fmt.Sprintf("the answer has status %d and no problem document", failure.Status)
		return &api
	}
	api.Problem = failure.Body
	// A member of an unexpected shape leaves the others readable.
	_ = json.Unmarshal(failure.Body, &problem)
	api.Title, api.Detail, api.Errors = problem.Title, problem.Detail, problem.Errors
	if api.Code == "incompatible_schema" && problem.Verdict != nil {
		return &IncompatibleError{APIError: api, Verdict: *problem.Verdict}
	}
	return &api
}
