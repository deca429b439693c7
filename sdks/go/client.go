package schemaregistry

import (
	"context"
	"fmt"
	"math/rand"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/llm/schema-registry-go/internal/engine"
)

// Version is the version of this module.
const Version = "0.1.0"

// Client is a client of the registry. It is safe for goroutines.
type Client struct {
	config   config
	err      error
	settings *engine.Settings
	reader   *engine.Reader
	prepared sync.Map
}

// NewClient returns a client. A configuration error is reported by the first call.
func NewClient(address string, options ...Option) *Client {
	c := config{
		timeout:         engine.CallTimeout,
		attemptTimeout:  engine.AttemptTimeout,
		maxAttempts:     engine.MaxAttempts,
		maxEntries:      engine.MaxCacheEntries,
		maxBytes:        engine.MaxCacheBytes,
		headLifetime:    engine.HeadLifetime,
		staleLifetime:   engine.StaleLifetime,
		breakerFailures: engine.BreakerFailures,
		breakerOpen:     engine.BreakerOpen,
		clock:           systemClock{began: time.Now()},
		random:          rand.Float64,
		debug:           func(string) {},
		onEvent:         func(ClientEvent) {},
	}
	for _, option := range options {
		option(&c)
	}
	if c.http == nil {
		c.http = newHTTPClient()
	}
	client := &Client{config: c}
	base, err := checkConfig(address, &c)
	client.err = err
	client.settings = &engine.Settings{
		BaseURL:        base,
		Headers:        describeHeaders(&c),
		Timeout:        c.timeout,
		AttemptTimeout: c.attemptTimeout,
		MaxAttempts:    c.maxAttempts,
		HTTP:           c.http,
		Clock:          c.clock,
		Random:         c.random,
		Tokens:         &engine.Tokens{},
		Breaker:        engine.NewBreaker(c.breakerFailures, c.breakerOpen),
		Emit:           client.emit,
	}
	client.reader = engine.NewReader(client.settings, engine.NewCache(c.maxEntries, c.maxBytes), c.staleLifetime, c.debug)
	return client
}

// Token is the newest of this client's own writes, to hand to another process as WithMinToken; empty before the first.
func (c *Client) Token() string {
	if wrote := c.settings.Tokens.Wrote(); wrote != nil {
		return wrote.Text
	}
	return ""
}

// Stats are the counts of the cache, and the state of the breaker and the tokens.
type Stats struct {
	Hits, Misses, Revalidated, Stale, Entries, Bytes int
	Breaker                                          string
	// TokenSeen is the newest token of all answers.
	TokenSeen string
	// TokenUnreadable counts answers whose token could not be read.
	TokenUnreadable int
}

// CacheStats are the client's counts so far.
func (c *Client) CacheStats() Stats {
	s := c.reader.Cache.Stats()
	stats := Stats{s.Hits, s.Misses, s.Revalidated, s.Stale, s.Entries, s.Bytes, string(c.settings.Breaker.State()), "", c.settings.Tokens.Unreadable()}
	if seen := c.settings.Tokens.Seen(); seen != nil {
		stats.TokenSeen = seen.Text
	}
	return stats
}

// ClearCache clears the cache, or the parts that belong to the given subjects.
func (c *Client) ClearCache(subjects ...string) {
	if len(subjects) == 0 {
		c.reader.Cache.Clear()
		c.prepared.Range(func(key, _ any) bool { c.prepared.Delete(key); return true })
	}
	for _, subject := range subjects {
		c.reader.Cache.ForgetSubject(c.qualified(subject))
	}
}

// Close releases the cache and closes idle connections.
func (c *Client) Close() {
	c.ClearCache()
	c.config.http.CloseIdleConnections()
}

func newHTTPClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	transport.DialContext = (&net.Dialer{Timeout: engine.ConnectTimeout, KeepAlive: 30 * time.Second}).DialContext
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Transport: transport, CheckRedirect: stay}
}

type systemClock struct{ began time.Time }

func (c systemClock) Monotonic() time.Duration { return time.Since(c.began) }
func (systemClock) Wall() time.Time            { return time.Now() }

func (systemClock) Sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func checkConfig(address string, c *config) (string, error) {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Host == "" {
		return "", configurationError("the registry's address is not an HTTP URL; expected for example http://localhost:8080")
	}
	switch {
	case c.timeout <= 0 || c.attemptTimeout <= 0:
		return "", configurationError("timeouts are above 0")
	case c.maxAttempts < 1:
		return "", configurationError("the number of attempts is at least 1")
	case c.headLifetime < 0 || c.headLifetime > engine.LongestHeadLifetime:
		return "", configurationError("the lifetime of heads is between 0 and %s", engine.LongestHeadLifetime)
	case c.maxEntries < 0 || c.maxBytes < 0:
		return "", configurationError("the cache's size is at least 0")
	case len(c.app) > engine.MaxAppCharacters || !isPrintable(c.app):
		return "", configurationError("app is at most %d printable ASCII characters", engine.MaxAppCharacters)
	}
	if c.apiKey != "" && parsed.Scheme == "http" && !isLoopback(parsed.Hostname()) {
		c.debug("The key is sent over plain HTTP to a host that is not this machine.")
	}
	return parsed.Scheme + "://" + parsed.Host + strings.TrimRight(parsed.EscapedPath(), "/"), nil
}

func isPrintable(text string) bool {
	for _, r := range text {
		if r < 0x20 || r > 0x7e {
			return false
		}
	}
	return true
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func describeHeaders(c *config) map[string]string {
	system, machine := "other", "other"
	switch runtime.GOOS {
	case "linux", "darwin", "windows":
		system = runtime.GOOS
	}
	switch runtime.GOARCH {
	case "amd64":
		machine = "x86_64"
	case "arm64":
		machine = "aarch64"
	}
	agent := fmt.Sprintf("llm-schema-registry-go/%s go/%s (%s; %s)", Version, strings.TrimPrefix(runtime.Version(), "go"), system, machine)
	if c.app != "" {
		agent += " " + c.app
	}
	if len(agent) > engine.MaxUserAgentCharacters {
		agent = agent[:engine.MaxUserAgentCharacters]
	}
	headers := map[string]string{"Accept": "application/json", "User-Agent": agent}
	if c.apiKey != "" {
		headers["Authorization"] = "Bearer " + c.apiKey
	}
	return headers
}

func (c *Client) emit(event engine.Event) {
	if event.Line != "" {
		c.config.debug(event.Line)
	}
	// A hook that panics must not fail a call that succeeded.
	defer func() { _ = recover() }()
	c.config.onEvent(ClientEvent{
		Kind:      event.Kind,
		Operation: event.Operation,
		Attempt:   event.Attempt,
		Status:    event.Status,
		Code:      event.Code,
		Duration:  event.Duration,
		Wait:      event.Wait,
		Source:    event.Source,
		Breaker:   string(event.Breaker),
	})
}
