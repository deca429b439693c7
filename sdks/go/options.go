package schemaregistry

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/llm/schema-registry-go/internal/engine"
)

// ClientEvent is what the metrics hook receives: once for each attempt and once for each call.
type ClientEvent struct {
	// Kind is "attempt" or "call".
	Kind string
	// Operation is the operation's name in the OpenAPI document.
	Operation string
	// Attempt is counted from 1; for a call, it is the number of attempts.
	Attempt int
	Status  int
	// Code is the error's code, if it failed.
	Code     string
	Duration time.Duration
	// Wait is the wait before the next attempt.
	Wait time.Duration
	// Source is network, cache, revalidated or stale.
	Source  string
	Breaker string
}

// Clock is the client's only source of time. Tests replace it.
type Clock interface {
	Monotonic() time.Duration
	Wall() time.Time
	Sleep(ctx context.Context, wait time.Duration) error
}

type config struct {
	apiKey          string
	context         string
	timeout         time.Duration
	attemptTimeout  time.Duration
	maxAttempts     int
	maxEntries      int
	maxBytes        int
	headLifetime    time.Duration
	staleLifetime   time.Duration
	breakerFailures int
	breakerOpen     time.Duration
	app             string
	http            *http.Client
	clock           Clock
	random          func() float64
	onEvent         func(ClientEvent)
	debug           func(string)
	validator       Validator
}

// Option changes how a client behaves.
type Option func(*config)

// WithAPIKey sends a key with every request.
func WithAPIKey(key string) Option { return func(c *config) { c.apiKey = key } }

// WithContext names the context of bare subject names.
func WithContext(context string) Option { return func(c *config) { c.context = context } }

// WithTimeout bounds a whole call: attempts, waits and bodies. 30 s.
func WithTimeout(timeout time.Duration) Option { return func(c *config) { c.timeout = timeout } }

// WithAttemptTimeout bounds one attempt. 12 s.
func WithAttemptTimeout(timeout time.Duration) Option {
	return func(c *config) { c.attemptTimeout = timeout }
}

// WithMaxAttempts says how often a call is tried. 3; 1 asks once.
func WithMaxAttempts(attempts int) Option { return func(c *config) { c.maxAttempts = attempts } }

// WithCacheSize bounds the cache. 1,000 answers and 64 MiB; 0 answers keep nothing.
func WithCacheSize(entries, bytes int) Option {
	return func(c *config) { c.maxEntries, c.maxBytes = entries, bytes }
}

// WithHeadLifetime says how long latest and ranges may be kept. 1 min, at most 5.
func WithHeadLifetime(lifetime time.Duration) Option {
	return func(c *config) { c.headLifetime = lifetime }
}

// WithStaleLifetime bounds the age of expired entries that are used while the registry cannot be reached. 24 h; 0 turns it off.
func WithStaleLifetime(lifetime time.Duration) Option {
	return func(c *config) { c.staleLifetime = lifetime }
}

// WithBreaker says after how many failed attempts in a row the client stops asking, and for how long. 5, 30 s.
func WithBreaker(failures int, open time.Duration) Option {
	return func(c *config) { c.breakerFailures, c.breakerOpen = failures, open }
}

// WithApp names your program for the registry's logs: "billing/2.1".
func WithApp(app string) Option { return func(c *config) { c.app = app } }

// WithHTTPClient replaces the HTTP client. It must not follow redirects: they would carry the key.
func WithHTTPClient(client *http.Client) Option { return func(c *config) { c.http = client } }

// WithClock replaces the clock, for tests.
func WithClock(clock Clock) Option { return func(c *config) { c.clock = clock } }

// WithRandom replaces the source of random numbers from [0, 1) for the jitter of waits.
func WithRandom(random func() float64) Option { return func(c *config) { c.random = random } }

// WithOnEvent sets the metrics hook. A panic in it is ignored.
func WithOnEvent(hook func(ClientEvent)) Option { return func(c *config) { c.onEvent = hook } }

// WithDebug receives a line for each attempt, without bodies, keys or query values.
func WithDebug(debug func(line string)) Option { return func(c *config) { c.debug = debug } }

// WithValidator validates in this process. Without it the registry is asked.
func WithValidator(validator Validator) Option { return func(c *config) { c.validator = validator } }

// Validator prepares schemas for validation in this process; package validation has one for JSON Schema.
type Validator interface {
	// Prepare returns nil where the registry should be asked. The content of a JSON Schema contains what its references name.
	Prepare(content Content) (PreparedSchema, error)
}

// PreparedSchema validates data; ok is false where the registry should be asked.
type PreparedSchema interface {
	Validate(data any) (result ValidationResult, ok bool)
}

type registerRequest struct {
	Subject            string         `json:"subject"`
	Format             string         `json:"format"`
	Content            any            `json:"content"`
	References         []Reference    `json:"references,omitempty"`
	Version            string         `json:"version,omitempty"`
	State              string         `json:"state,omitempty"`
	CompatibilityLevel string         `json:"compatibility_level,omitempty"`
	Description        string         `json:"description,omitempty"`
	Tags               []string       `json:"tags,omitempty"`
	Owner              string         `json:"owner,omitempty"`
	Metadata           map[string]any `json:"metadata,omitempty"`
	Role               string         `json:"role,omitempty"`
	idempotencyKey     string
}

// RegisterOption is an option of a registration.
type RegisterOption func(*registerRequest)

// WithReferences sets the targets of the schema's references.
func WithReferences(references ...Reference) RegisterOption {
	return func(r *registerRequest) { r.References = references }
}

// WithVersion assigns a semantic version; by default the change determines the next one.
func WithVersion(version string) RegisterOption {
	return func(r *registerRequest) { r.Version = version }
}

// WithState registers as "draft" or "active".
func WithState(state string) RegisterOption { return func(r *registerRequest) { r.State = state } }

// WithCompatibilityLevel sets the subject's level, if this registration creates the subject.
func WithCompatibilityLevel(level string) RegisterOption {
	return func(r *registerRequest) { r.CompatibilityLevel = level }
}

// WithDescription describes the version.
func WithDescription(description string) RegisterOption {
	return func(r *registerRequest) { r.Description = description }
}

// WithTags tags the version.
func WithTags(tags ...string) RegisterOption { return func(r *registerRequest) { r.Tags = tags } }

// WithOwner names the version's owner.
func WithOwner(owner string) RegisterOption { return func(r *registerRequest) { r.Owner = owner } }

// WithMetadata sets the version's metadata.
func WithMetadata(metadata map[string]any) RegisterOption {
	return func(r *registerRequest) { r.Metadata = metadata }
}

// WithRole says what the schema is for: data, tool_input, model_output, …
func WithRole(role string) RegisterOption { return func(r *registerRequest) { r.Role = role } }

// WithIdempotencyKey repeats an earlier registration; otherwise each call makes its own key.
func WithIdempotencyKey(key string) RegisterOption {
	return func(r *registerRequest) { r.idempotencyKey = key }
}

type readOptions struct {
	minToken string
	remote   bool
}

// ReadOption is an option of a read.
type ReadOption func(*readOptions)

// WithMinToken takes a token of another process; answers are never older than that state.
func WithMinToken(token string) ReadOption { return func(r *readOptions) { r.minToken = token } }

// WithRemote always asks the registry to validate, even if the data could be validated locally.
func WithRemote() ReadOption { return func(r *readOptions) { r.remote = true } }

type checkRequest struct {
	Subject    string      `json:"subject"`
	Format     string      `json:"format"`
	Content    any         `json:"content"`
	References []Reference `json:"references,omitempty"`
	Level      string      `json:"level,omitempty"`
	Policy     string      `json:"policy,omitempty"`
	Version    any         `json:"version,omitempty"`
}

// CheckOption is an option of a compatibility check.
type CheckOption func(*checkRequest)

// CheckLevel checks under another level than the subject's.
func CheckLevel(level string) CheckOption { return func(c *checkRequest) { c.Level = level } }

// CheckPolicy checks under another policy than the subject's.
func CheckPolicy(policy string) CheckOption { return func(c *checkRequest) { c.Policy = policy } }

// CheckReferences sets the targets of the schema's references.
func CheckReferences(references ...Reference) CheckOption {
	return func(c *checkRequest) { c.References = references }
}

// CheckVersion compares with one version only, or with "all".
func CheckVersion(version any) CheckOption { return func(c *checkRequest) { c.Version = version } }

// Change is what Update changes. Attributes that are not set are unchanged.
type Change struct {
	members map[string]any
	ifMatch string
}

// NewChange changes nothing until something is set.
func NewChange() *Change { return &Change{members: map[string]any{}} }

// Set changes an attribute: description, tags, owner, metadata, role, state or reason.
func (c *Change) Set(attribute string, value any) *Change {
	c.members[attribute] = value
	return c
}

// Clear removes an attribute's value.
func (c *Change) Clear(attribute string) *Change { return c.Set(attribute, nil) }

// IfMatch applies the change only to the state with this ETag.
func (c *Change) IfMatch(etag string) *Change {
	c.ifMatch = etag
	return c
}

type listRequest struct{ query url.Values }

// ListOption is an option of a list.
type ListOption func(*listRequest)

// WithPrefix lists only names with this prefix.
func WithPrefix(prefix string) ListOption {
	return func(l *listRequest) { l.query.Set("prefix", prefix) }
}

// SearchFilters narrow a search. Empty members do not.
type SearchFilters struct {
	Format        string `json:"format,omitempty"`
	State         string `json:"state,omitempty"`
	Tag           string `json:"tag,omitempty"`
	Owner         string `json:"owner,omitempty"`
	SubjectPrefix string `json:"subject_prefix,omitempty"`
	Role          string `json:"role,omitempty"`
	Versions      string `json:"versions,omitempty"`
}

type searchRequest struct {
	Query   string         `json:"query"`
	Cursor  string         `json:"cursor,omitempty"`
	Filters *SearchFilters `json:"filters,omitempty"`
	token   engine.TokenUse
}

// SearchOption is an option of a search.
type SearchOption func(*searchRequest)

// WithFilters narrows a search.
func WithFilters(filters SearchFilters) SearchOption {
	return func(s *searchRequest) { s.Filters = &filters }
}

// WithConsistent waits for the search index to hold this client's own writes.
func WithConsistent() SearchOption {
	return func(s *searchRequest) { s.token = engine.SendWrote }
}

type eventRequest struct {
	query url.Values
	after int64
}

// EventOption selects the events that are read.
type EventOption func(*eventRequest)

// WithAfter begins after a position; 0 is the whole log. Without it: only new events.
func WithAfter(seq int64) EventOption {
	return func(e *eventRequest) { e.after = seq }
}

// WithSubjects reads events of subjects that match one of the globs.
func WithSubjects(globs ...string) EventOption {
	return func(e *eventRequest) { e.query.Set("subjects", join(globs)) }
}

// WithTypes reads events of these types, such as "schema.registered" or "schema.*".
func WithTypes(types ...string) EventOption {
	return func(e *eventRequest) { e.query.Set("types", join(types)) }
}
