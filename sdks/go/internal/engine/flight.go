package engine

import (
	"context"
	"sync"
)

// flights merges concurrent reads of one key: the first caller's work serves all callers that arrive while it runs.
// Each caller keeps its own
// cancellation, and the work stops when the last of them has cancelled.
type flights struct {
	mu      sync.Mutex
	running map[string]*flight
}

type flight struct {
	done    chan struct{}
	stop    context.CancelFunc
	waiting int
	answer  ReadAnswer
	err     error
}

func (f *flights) join(ctx context.Context, key string, start func(context.Context) (ReadAnswer, error)) (ReadAnswer, error) {
	if err := ctx.Err(); err != nil {
		return ReadAnswer{}, err
	}
	f.mu.Lock()
	joined := f.running[key]
	if joined == nil {
		workCtx, stop := context.WithCancel(context.Background())
		joined = &flight{done: make(chan struct{}), stop: stop}
		f.running[key] = joined
		go func() {
			joined.answer, joined.err = start(workCtx)
			f.leaveEnded(key, joined)
			close(joined.done)
			stop()
		}()
	}
	joined.waiting++
	f.mu.Unlock()
	select {
	case <-joined.done:
		return joined.answer, joined.err
	case <-ctx.Done():
		f.mu.Lock()
		joined.waiting--
		if joined.waiting == 0 {
			joined.stop()
			if f.running[key] == joined {
				delete(f.running, key)
			}
		}
		f.mu.Unlock()
		return ReadAnswer{}, ctx.Err()
	}
}

func (f *flights) leaveEnded(key string, ended *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running[key] == ended {
		delete(f.running, key)
	}
}
