package engine

import (
	"sync"
	"time"
)

// Outcome is how one attempt ended.
type Outcome int

const (
	// Silent attempts were cancelled or cut off early; they do not count.
	Silent Outcome = iota
	Alive
	Failed
)

// BreakerState is closed, open or half-open.
type BreakerState string

const (
	Closed   BreakerState = "closed"
	Open     BreakerState = "open"
	HalfOpen BreakerState = "half-open"
)

// Breaker stops asking a registry that does not answer. It counts attempts.
type Breaker struct {
	mu         sync.Mutex
	failures   int
	openFor    time.Duration
	state      BreakerState
	failed     int
	openedAt   time.Duration
	generation int
	trialRuns  bool
}

// NewBreaker opens after failures failed attempts in a row, for openFor.
func NewBreaker(failures int, openFor time.Duration) *Breaker {
	return &Breaker{failures: failures, openFor: openFor, state: Closed}
}

// State says whether attempts are let through.
func (b *Breaker) State() BreakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// admit admits an attempt, or returns how long attempts stay refused.
func (b *Breaker) admit(now time.Duration) (generation int, retryAfter time.Duration, admitted bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == Open {
		if left := b.openedAt + b.openFor - now; left > 0 {
			return 0, left, false
		}
		b.enter(HalfOpen)
	}
	if b.state == HalfOpen {
		if b.trialRuns {
			return 0, b.openFor, false
		}
		b.trialRuns = true
	}
	return b.generation, 0, true
}

// report updates the breaker. Attempts that began before a change of state do not.
func (b *Breaker) report(generation int, outcome Outcome, now time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if generation != b.generation {
		return
	}
	if b.state == HalfOpen {
		b.trialRuns = false
		switch outcome {
		case Alive:
			b.enter(Closed)
		case Failed:
			b.openedAt = now
			b.enter(Open)
		}
		return
	}
	switch outcome {
	case Alive:
		b.failed = 0
	case Failed:
		b.failed++
		if b.failed >= b.failures {
			b.openedAt = now
			b.enter(Open)
		}
	}
}

func (b *Breaker) enter(state BreakerState) {
	b.state = state
	b.failed = 0
	b.trialRuns = false
	b.generation++
}
