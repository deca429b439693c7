package engine

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// isRetriedStatus: 409 is a verdict, and 500 a fault that a retry would meet again; neither is retried.
func isRetriedStatus(status int, mayRepeat bool) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return mayRepeat
	}
	return false
}

// Jitter is the wait after an attempt: full jitter, with random drawn from [0, 1), in whole milliseconds.
func Jitter(attempt int, random float64, longest time.Duration) time.Duration {
	wait := FirstWait
	for i := 1; i < attempt && wait < longest; i++ {
		wait *= 2
	}
	if wait > longest {
		wait = longest
	}
	return time.Duration(random*float64(wait.Milliseconds())) * time.Millisecond
}

// ParseRetryAfter reads seconds or a date; a time that has passed is 0.
func ParseRetryAfter(header string, now time.Time) (time.Duration, bool) {
	text := strings.TrimSpace(header)
	if seconds, err := strconv.ParseInt(text, 10, 32); err == nil {
		if seconds < 0 {
			seconds = 0
		}
		return time.Duration(seconds) * time.Second, true
	}
	date, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	if wait := date.Sub(now); wait > 0 {
		return wait, true
	}
	return 0, true
}
