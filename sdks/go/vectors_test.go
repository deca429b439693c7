package schemaregistry_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	schemaregistry "github.com/llm/schema-registry-go"
)

const vectorFolder = "../../contract/vectors/sdk"

type step struct {
	Call    string          `json:"call"`
	Args    json.RawMessage `json:"args"`
	Options struct {
		IdempotencyKey string `json:"idempotency_key"`
		MinToken       string `json:"min_token"`
		TimeoutMs      int64  `json:"timeout_ms"`
	} `json:"options"`
	Returns       json.RawMessage `json:"returns"`
	Fields        map[string]any  `json:"fields"`
	Error         map[string]any  `json:"error"`
	Source        string          `json:"source"`
	Items         *int            `json:"items"`
	Take          int             `json:"take"`
	Seqs          []int64         `json:"seqs"`
	AdvanceMs     int64           `json:"advance_ms"`
	CancelAfterMs int64           `json:"cancel_after_ms"`
	CancelInWait  bool            `json:"cancel_in_wait"`
	Parallel      []step          `json:"parallel"`
}

type vector struct {
	Description string `json:"description"`
	Client      struct {
		APIKey           string `json:"api_key"`
		Context          string `json:"context"`
		TimeoutMs        int64  `json:"timeout_ms"`
		AttemptTimeoutMs int64  `json:"attempt_timeout_ms"`
		MaxAttempts      int    `json:"max_attempts"`
		StaleMaxAgeMs    *int64 `json:"stale_max_age_ms"`
		CacheMaxEntries  *int   `json:"cache_max_entries"`
	} `json:"client"`
	Random          []float64       `json:"random"`
	WallMs          int64           `json:"wall_ms"`
	Exchanges       json.RawMessage `json:"exchanges"`
	Steps           []step          `json:"steps"`
	SleptMs         *[]int64        `json:"slept_ms"`
	Token           string          `json:"token"`
	Seen            string          `json:"seen"`
	Breaker         string          `json:"breaker"`
	CacheStats      map[string]int  `json:"cache_stats"`
	TokenUnreadable int             `json:"token_unreadable"`
	LogLacks        []string        `json:"log_lacks"`
}

// fakeClock is a clock whose waits pass at once and are counted.
type fakeClock struct {
	mu      sync.Mutex
	now     time.Duration
	wall    time.Time
	slept   []int64
	onSleep func()
}

func (c *fakeClock) Monotonic() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) Wall() time.Time { return c.wall.Add(c.Monotonic()) }

func (c *fakeClock) Sleep(ctx context.Context, wait time.Duration) error {
	c.mu.Lock()
	cancel := c.onSleep
	c.mu.Unlock()
	if cancel != nil {
		cancel()
		<-ctx.Done()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.advance(wait)
	c.slept = append(c.slept, wait.Milliseconds())
	return nil
}

func (c *fakeClock) advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now += by
}

// startServer starts the scripted registry that all SDKs' vectors run against.
func startServer(t *testing.T) (control string) {
	t.Helper()
	command := exec.Command("node", filepath.Join(vectorFolder, "server.mjs"))
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = command.Process.Kill(); _ = command.Wait() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatal(err)
	}
	var started struct {
		Control string `json:"control"`
	}
	if err := json.Unmarshal(line, &started); err != nil {
		t.Fatal(err)
	}
	return started.Control
}

// TestVectors is the behaviour that all SDKs share, from contract/vectors/sdk. README.md there says what each member means.
func TestVectors(t *testing.T) {
	control := startServer(t)
	files, _ := filepath.Glob(filepath.Join(vectorFolder, "*.json"))
	if len(files) == 0 {
		t.Fatal("there are no vectors")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var document struct {
			Vectors []vector `json:"vectors"`
		}
		if err := json.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		for _, vector := range document.Vectors {
			vector := vector
			name := strings.TrimSuffix(filepath.Base(file), ".json") + ": " + vector.Description
			t.Run(name, func(t *testing.T) { runVector(t, control, vector) })
		}
	}
}

type vectorRun struct {
	t      *testing.T
	client *schemaregistry.Client
	clock  *fakeClock
	mu     sync.Mutex
	events []schemaregistry.ClientEvent
	log    []string
}

func runVector(t *testing.T, control string, v vector) {
	var begun struct {
		Run int    `json:"run"`
		URL string `json:"url"`
	}
	exchange(t, http.MethodPost, control+"/_run", map[string]any{"exchanges": v.Exchanges}, &begun)
	run := &vectorRun{t: t, clock: &fakeClock{wall: time.UnixMilli(v.WallMs)}}
	run.client = schemaregistry.NewClient(begun.URL, run.options(v)...)

	for _, step := range v.Steps {
		run.take(step)
	}

	var ended struct {
		Mismatches []string `json:"mismatches"`
		Left       int      `json:"left"`
	}
	exchange(t, http.MethodGet, fmt.Sprintf("%s/_run/%d", control, begun.Run), nil, &ended)
	if len(ended.Mismatches) > 0 || ended.Left > 0 {
		t.Errorf("%d exchanges left, mismatches %q", ended.Left, ended.Mismatches)
	}
	run.expectEnd(v)
}

func exchange(t *testing.T, method, address string, body, into any) {
	t.Helper()
	text, _ := json.Marshal(body)
	request, err := http.NewRequest(method, address, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func (r *vectorRun) options(v vector) []schemaregistry.Option {
	random := append([]float64(nil), v.Random...)
	options := []schemaregistry.Option{
		schemaregistry.WithClock(r.clock),
		schemaregistry.WithValidator(typeValidator{}),
		schemaregistry.WithRandom(func() float64 {
			if len(random) == 0 {
				return 0.5
			}
			next := random[0]
			random = random[1:]
			return next
		}),
		schemaregistry.WithDebug(func(line string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.log = append(r.log, line)
		}),
		schemaregistry.WithOnEvent(func(event schemaregistry.ClientEvent) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, event)
		}),
	}
	if v.Client.APIKey != "" {
		options = append(options, schemaregistry.WithAPIKey(v.Client.APIKey))
	}
	if v.Client.Context != "" {
		options = append(options, schemaregistry.WithContext(v.Client.Context))
	}
	if v.Client.TimeoutMs != 0 {
		options = append(options, schemaregistry.WithTimeout(time.Duration(v.Client.TimeoutMs)*time.Millisecond))
	}
	if v.Client.AttemptTimeoutMs != 0 {
		options = append(options, schemaregistry.WithAttemptTimeout(time.Duration(v.Client.AttemptTimeoutMs)*time.Millisecond))
	}
	if v.Client.MaxAttempts != 0 {
		options = append(options, schemaregistry.WithMaxAttempts(v.Client.MaxAttempts))
	}
	if v.Client.StaleMaxAgeMs != nil {
		options = append(options, schemaregistry.WithStaleLifetime(time.Duration(*v.Client.StaleMaxAgeMs)*time.Millisecond))
	}
	if v.Client.CacheMaxEntries != nil {
		options = append(options, schemaregistry.WithCacheSize(*v.Client.CacheMaxEntries, 1<<20))
	}
	return options
}

// typeValidator decides the one keyword that the vectors' schemas have.
type typeValidator struct{}

type typeSchema struct{ kind string }

func (typeValidator) Prepare(content schemaregistry.Content) (schemaregistry.PreparedSchema, error) {
	var schema struct {
		Type string `json:"type"`
	}
	err := json.Unmarshal(content.Content, &schema)
	return typeSchema{schema.Type}, err
}

func (s typeSchema) Validate(data any) (schemaregistry.ValidationResult, bool) {
	_, isObject := data.(map[string]any)
	return schemaregistry.ValidationResult{Valid: s.kind != "object" || isObject}, true
}

func (r *vectorRun) take(s step) {
	switch {
	case s.AdvanceMs != 0:
		r.clock.advance(time.Duration(s.AdvanceMs) * time.Millisecond)
	case s.Parallel != nil:
		var group sync.WaitGroup
		for _, one := range s.Parallel {
			one := one
			group.Add(1)
			go func() {
				defer group.Done()
				r.perform(one)
			}()
		}
		group.Wait()
	default:
		r.perform(s)
	}
}

func (r *vectorRun) perform(s step) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if s.CancelAfterMs != 0 {
		time.AfterFunc(time.Duration(s.CancelAfterMs)*time.Millisecond, cancel)
	}
	if s.Options.TimeoutMs != 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(s.Options.TimeoutMs)*time.Millisecond)
		defer cancel()
	}
	if s.CancelInWait {
		r.clock.mu.Lock()
		r.clock.onSleep = cancel
		r.clock.mu.Unlock()
	}
	r.mu.Lock()
	before := len(r.events)
	r.mu.Unlock()
	value, err := r.invoke(ctx, s)
	if s.Error != nil {
		r.expectError(err, s.Error)
		return
	}
	if err != nil {
		r.t.Errorf("%s: %v", s.Call, err)
		return
	}
	r.expectValue(s, value)
	if s.Source == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, event := range r.events[before:] {
		if event.Kind == "call" && event.Source == s.Source {
			return
		}
	}
	r.t.Errorf("%s: no call from %s among %+v", s.Call, s.Source, r.events[before:])
}

func (r *vectorRun) expectValue(s step, value any) {
	if s.Returns != nil {
		var expected any
		_ = json.Unmarshal(s.Returns, &expected)
		members, isObject := expected.(map[string]any)
		if !isObject {
			if !reflect.DeepEqual(value, expected) {
				r.t.Errorf("%s gave %v, expected %v", s.Call, value, expected)
			}
		} else if result := value.(schemaregistry.ValidationResult); members["valid"] != result.Valid || members["stale"] != result.Stale {
			r.t.Errorf("%s gave %+v, expected %v", s.Call, result, members)
		}
	}
	if state, ok := s.Fields["state"]; ok && value.(*schemaregistry.Record).State != state {
		r.t.Errorf("the state is %s, expected %s", value.(*schemaregistry.Record).State, state)
	}
	if s.Items != nil && reflect.ValueOf(value).Len() != *s.Items {
		r.t.Errorf("%d items, expected %d", reflect.ValueOf(value).Len(), *s.Items)
	}
	if s.Seqs != nil && !reflect.DeepEqual(value, s.Seqs) {
		r.t.Errorf("events %v, expected %v", value, s.Seqs)
	}
}

var classOf = map[string]error{
	"IncompatibleSchema": schemaregistry.ErrIncompatible,
	"ServerError":        schemaregistry.ErrServer,
	"StorageFull":        schemaregistry.ErrStorageFull,
	"Unavailable":        schemaregistry.ErrUnavailable,
	"ConnectionLost":     schemaregistry.ErrConnectionLost,
	"BadAnswer":          schemaregistry.ErrBadAnswer,
	"NotFound":           schemaregistry.ErrNotFound,
	"CircuitOpen":        schemaregistry.ErrCircuitOpen,
}

func (r *vectorRun) expectError(err error, expected map[string]any) {
	if err == nil {
		r.t.Errorf("it answered; expected %v", expected)
		return
	}
	if expected["timed_out"] == true {
		if !errors.Is(err, context.DeadlineExceeded) {
			r.t.Errorf("%v is not the context's deadline", err)
		}
		return
	}
	if expected["cancelled"] == true {
		if !errors.Is(err, context.Canceled) {
			r.t.Errorf("%v is not a cancellation", err)
		}
		return
	}
	actual := map[string]any{}
	var api *schemaregistry.APIError
	var client *schemaregistry.ClientError
	var incompatible *schemaregistry.IncompatibleError
	switch {
	case errors.As(err, &api):
		actual = map[string]any{"code": api.Code, "status": float64(api.Status), "attempts": float64(api.Attempts), "retry_after_ms": float64(api.RetryAfter.Milliseconds())}
	case errors.As(err, &client):
		actual = map[string]any{"code": client.Code, "attempts": float64(client.Attempts), "retry_after_ms": float64(client.RetryAfter.Milliseconds()), "may_have_been_sent": client.MayHaveBeenSent}
	}
	if errors.As(err, &incompatible) {
		kinds := []any{}
		for _, difference := range incompatible.Verdict.Differences {
			kinds = append(kinds, difference.Kind)
		}
		actual["verdict_kinds"] = kinds
	}
	for name, value := range expected {
		if name == "name" {
			if class, ok := classOf[value.(string)]; ok && !errors.Is(err, class) {
				r.t.Errorf("%v is not %s", err, value)
			}
		} else if !reflect.DeepEqual(actual[name], value) {
			r.t.Errorf("%s is %v, expected %v (%v)", name, actual[name], value, err)
		}
	}
}

func (r *vectorRun) expectEnd(v vector) {
	stats := r.client.CacheStats()
	expect := func(what string, actual, expected any) {
		if !reflect.DeepEqual(actual, expected) {
			r.t.Errorf("%s: %v, expected %v", what, actual, expected)
		}
	}
	if v.SleptMs != nil {
		expect("slept", append([]int64{}, r.clock.slept...), append([]int64{}, *v.SleptMs...))
	}
	if v.Token != "" {
		expect("token", r.client.Token(), v.Token)
	}
	if v.Seen != "" {
		expect("seen", stats.TokenSeen, v.Seen)
	}
	if v.Breaker != "" {
		expect("breaker", stats.Breaker, v.Breaker)
	}
	expect("unreadable tokens", stats.TokenUnreadable, v.TokenUnreadable)
	counts := map[string]int{"hits": stats.Hits, "misses": stats.Misses, "revalidated": stats.Revalidated, "stale": stats.Stale, "entries": stats.Entries}
	for name, count := range v.CacheStats {
		expect(name, counts[name], count)
	}
	for _, secret := range v.LogLacks {
		if strings.Contains(strings.Join(r.log, "\n"), secret) {
			r.t.Errorf("the log holds %q", secret)
		}
	}
}

type arguments struct {
	ID         string                     `json:"id"`
	Subject    string                     `json:"subject"`
	Version    json.RawMessage            `json:"version"`
	Schema     map[string]json.RawMessage `json:"schema"`
	Data       any                        `json:"data"`
	Remote     bool                       `json:"remote"`
	Query      string                     `json:"query"`
	Consistent bool                       `json:"consistent"`
	Prefix     string                     `json:"prefix"`
	Change     map[string]any             `json:"change"`
	IfMatch    string                     `json:"if_match"`
	Permanent  bool                       `json:"permanent"`
	After      int64                      `json:"after"`
}

func (r *vectorRun) invoke(ctx context.Context, s step) (any, error) {
	var args arguments
	if err := json.Unmarshal(s.Args, &args); s.Args != nil && err != nil {
		r.t.Fatal(err)
	}
	var schema schemaregistry.Schema
	for format, content := range args.Schema {
		schema = schemaregistry.Schema{Format: format, Content: content}
	}
	var read []schemaregistry.ReadOption
	if s.Options.MinToken != "" {
		read = append(read, schemaregistry.WithMinToken(s.Options.MinToken))
	}
	if args.Remote {
		read = append(read, schemaregistry.WithRemote())
	}
	switch s.Call {
	case "register_schema":
		return r.client.RegisterSchema(ctx, args.Subject, schema, schemaregistry.WithIdempotencyKey(s.Options.IdempotencyKey))
	case "get_schema":
		return r.client.GetSchema(ctx, args.ID, read...)
	case "get_version":
		return r.client.GetVersion(ctx, args.Subject, strings.Trim(string(args.Version), `"`), read...)
	case "latest":
		return r.client.Latest(ctx, args.Subject, read...)
	case "validate":
		return r.client.Validate(ctx, args.Data, args.ID, read...)
	case "explain_validation":
		return r.client.ExplainValidation(ctx, args.Data, args.ID, read...)
	case "check_compatibility":
		return r.client.CheckCompatibility(ctx, args.Subject, schema)
	case "search":
		var options []schemaregistry.SearchOption
		if args.Consistent {
			options = append(options, schemaregistry.WithConsistent())
		}
		return r.client.Search(ctx, args.Query, options...).All()
	case "list_subjects":
		return r.client.ListSubjects(ctx, schemaregistry.WithPrefix(args.Prefix)).All()
	case "update":
		change := schemaregistry.NewChange().IfMatch(args.IfMatch)
		for name, value := range args.Change {
			change.Set(name, value)
		}
		return r.client.Update(ctx, args.ID, change)
	case "delete":
		if args.Permanent {
			return nil, r.client.DeletePermanently(ctx, args.ID)
		}
		return nil, r.client.Delete(ctx, args.ID)
	case "clear_cache":
		r.client.ClearCache()
		return nil, nil
	case "events":
		stream := r.client.Events(ctx, schemaregistry.WithAfter(args.After))
		defer stream.Close()
		var seqs []int64
		for len(seqs) < s.Take && stream.Next() {
			seqs = append(seqs, stream.Value().Seq)
		}
		return seqs, stream.Err()
	}
	r.t.Fatalf("the vectors call %s, which this runner does not know", s.Call)
	return nil, nil
}
