package engine

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"time"
)

// Read is a read through the cache.
type Read struct {
	// Key is the JSON text of an array, so that no two names collide.
	Key       string
	Operation Operation
	// Content is changed by a hard delete alone.
	Content  bool
	Lifetime func(http.Header) time.Duration
	// Parse turns an answer's body into the value that is kept and the qualified subject whose changes remove it.
	Parse func([]byte) (value any, subject string, err error)
}

// ReadAnswer is a value and where it came from: network, cache, revalidated or stale.
type ReadAnswer struct {
	Value    any
	Source   string
	Stale    bool
	Attempts int
}

// Reader reads through a cache: fresh, revalidated, from the network, or stale while the registry is away.
type Reader struct {
	*Settings
	Cache         *Cache
	StaleLifetime time.Duration
	Warn          func(string)
	flights       flights
	warnedAt      time.Duration
	hasWarned     bool
}

// NewReader reads with the given settings.
func NewReader(settings *Settings, cache *Cache, staleLifetime time.Duration, warn func(string)) *Reader {
	return &Reader{Settings: settings, Cache: cache, StaleLifetime: staleLifetime, Warn: warn, flights: flights{running: map[string]*flight{}}}
}

// standInLimits: while a stale value is available, one short attempt is better than three long ones.
var standInLimits = limits{maxAttempts: 1, timeout: StaleAttemptTimeout}

// ContentLifetimeOf is what the answer's max-age says, at most an hour.
func ContentLifetimeOf(header http.Header) time.Duration {
	found := maxAge.FindStringSubmatch(header.Get("Cache-Control"))
	if found == nil {
		return ContentLifetime
	}
	seconds, err := strconv.Atoi(found[1])
	if lifetime := time.Duration(seconds) * time.Second; err == nil && lifetime < ContentLifetime {
		return lifetime
	}
	return ContentLifetime
}

var maxAge = regexp.MustCompile(`(?:^|[\s,])max-age=([0-9]{1,9})`)

// Get answers from the cache where it may, else from the registry.
func (r *Reader) Get(ctx context.Context, read Read, options CallOptions) (ReadAnswer, error) {
	required := NewestToken(r.Tokens.Wrote(), options.MinToken)
	entry, found := r.Cache.read(read.Key)
	now := r.Clock.Monotonic()
	hasStandIn := false
	if found && reachesToken(entry.token, required, read.Content) {
		age := now - entry.storedAt
		if age < entry.lifetime {
			r.Cache.count(func(stats *CacheStats) { stats.Hits++ })
			return ReadAnswer{Value: entry.Value, Source: "cache"}, nil
		}
		hasStandIn = age <= r.StaleLifetime
		if hasStandIn && now < entry.staleUntil {
			return r.giveStale(entry), nil
		}
	}
	key := read.Key
	if required != nil {
		key += " " + required.Text
	}
	return r.flights.join(ctx, key, func(ctx context.Context) (ReadAnswer, error) {
		return r.ask(ctx, read, options, entry, found, hasStandIn)
	})
}

func (r *Reader) ask(ctx context.Context, read Read, options CallOptions, entry Entry, found, hasStandIn bool) (ReadAnswer, error) {
	generation := r.Cache.Generation()
	operation := read.Operation
	if found && entry.etag != "" {
		operation.Headers = map[string]string{"If-None-Match": entry.etag}
	}
	bounds := limits{r.MaxAttempts, r.AttemptTimeout}
	if hasStandIn {
		bounds = standInLimits
	}
	answer, err := r.run(ctx, operation, options, bounds, hasStandIn)
	if err != nil {
		return r.standIn(read, entry, hasStandIn, err)
	}
	stale := answer.Header.Get("X-Registry-Stale") == "true"
	if answer.Status == http.StatusNotModified && found {
		return r.renew(read, entry, answer, stale), nil
	}
	value, subject, err := read.Parse(answer.Body)
	if err != nil {
		return ReadAnswer{}, &Failure{Kind: BadAnswer, Code: "bad_answer", Status: answer.Status, Attempts: answer.Attempts, Cause: err}
	}
	r.Cache.count(func(stats *CacheStats) { stats.Misses++ })
	if !stale {
		r.Cache.store(read.Key, Entry{
			Value:    value,
			etag:     answer.Header.Get("ETag"),
			token:    answer.Token,
			storedAt: r.Clock.Monotonic(),
			lifetime: read.Lifetime(answer.Header),
			size:     len(answer.Body),
			subject:  subject,
		}, generation)
	}
	return ReadAnswer{Value: value, Source: "network", Stale: stale, Attempts: answer.Attempts}, nil
}

func (r *Reader) standIn(read Read, entry Entry, hasStandIn bool, err error) (ReadAnswer, error) {
	failure, ok := err.(*Failure)
	if ok && failure.Kind == Refusal && (failure.Status == http.StatusNotFound || failure.Status == http.StatusForbidden) {
		r.Cache.Remove(read.Key)
	}
	if !ok || !hasStandIn || !failure.isRegistryAway() {
		return ReadAnswer{}, err
	}
	r.Cache.update(read.Key, func(kept *Entry) { kept.staleUntil = r.Clock.Monotonic() + StaleRetry })
	return r.giveStale(entry), nil
}

func (f *Failure) isRegistryAway() bool {
	return f.Kind == Lost || f.Kind == Deadline || f.Kind == CircuitOpen || f.Kind == Refusal && f.Status >= 502 && f.Status <= 504
}

func (r *Reader) renew(read Read, entry Entry, answer *Answer, stale bool) ReadAnswer {
	r.Cache.count(func(stats *CacheStats) { stats.Revalidated++ })
	r.Cache.update(read.Key, func(kept *Entry) {
		kept.token = NewestToken(kept.token, answer.Token)
		if !stale {
			kept.storedAt = r.Clock.Monotonic()
			kept.lifetime = read.Lifetime(answer.Header)
			kept.staleUntil = 0
		}
	})
	return ReadAnswer{Value: entry.Value, Source: "revalidated", Stale: stale, Attempts: answer.Attempts}
}

func (r *Reader) giveStale(entry Entry) ReadAnswer {
	r.Cache.count(func(stats *CacheStats) { stats.Stale++ })
	r.flights.mu.Lock()
	now := r.Clock.Monotonic()
	warns := !r.hasWarned || now-r.warnedAt >= StaleWarningInterval
	if warns {
		r.warnedAt, r.hasWarned = now, true
	}
	r.flights.mu.Unlock()
	if warns {
		r.Warn("The registry cannot be reached; answers come from expired cache entries.")
	}
	return ReadAnswer{Value: entry.Value, Source: "stale", Stale: true}
}

// Keep stores the answer of a write, as a read would.
func (r *Reader) Keep(key string, value any, subject string, answer *Answer) {
	r.Cache.store(key, Entry{
		Value:    value,
		etag:     answer.Header.Get("ETag"),
		token:    answer.Token,
		storedAt: r.Clock.Monotonic(),
		lifetime: RecordLifetime,
		size:     len(answer.Body),
		subject:  subject,
	}, r.Cache.Generation())
}
