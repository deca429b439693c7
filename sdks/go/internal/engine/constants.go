// Package engine decides what a client does: what it sends, how long it waits, what it keeps. Sockets, clock and
// randomness are passed in.
package engine

import "time"

// The numeric constants of the client's behaviour. All SDKs share them; the vectors in contract/vectors/sdk test each one.
const (
	// CallTimeout is for a whole call: attempts, waits and bodies.
	CallTimeout = 30 * time.Second
	// AttemptTimeout is for one attempt. The registry answers or refuses within 10 seconds.
	AttemptTimeout = 12 * time.Second
	ConnectTimeout = 5 * time.Second
	MaxAttempts    = 3
	// FirstWait is the longest wait after the first attempt; it doubles with each further one.
	FirstWait   = 500 * time.Millisecond
	LongestWait = 8 * time.Second

	ContentLifetime     = time.Hour
	RecordLifetime      = 5 * time.Minute
	HeadLifetime        = time.Minute
	LongestHeadLifetime = 5 * time.Minute
	MaxCacheEntries     = 1000
	MaxCacheBytes       = 64 << 20

	// StaleLifetime bounds the age of an expired entry that is served while the registry cannot be reached.
	StaleLifetime = 24 * time.Hour
	// StaleAttemptTimeout is for the one attempt that is made while such an entry is available.
	StaleAttemptTimeout = 2 * time.Second
	// StaleRetry is how long a stale entry is served before the next attempt.
	StaleRetry           = 30 * time.Second
	StaleWarningInterval = time.Minute

	BreakerFailures = 5
	BreakerOpen     = 30 * time.Second

	// EventIdle without a byte counts as a lost event stream; the registry sends a comment every 15 seconds.
	EventIdle        = 45 * time.Second
	LongestEventWait = 30 * time.Second

	MaxAppCharacters       = 64
	MaxUserAgentCharacters = 256
	// MaxAnswerBytes bounds what is read of one answer; schema texts are at most 1 MiB and pages 4 MiB.
	MaxAnswerBytes = 32 << 20
)
