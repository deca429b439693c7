package schemaregistry

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/llm/schema-registry-go/internal/engine"
)

// RegisterSchema registers a schema as the next version of a subject and returns the version's id. POST /schemas.
// A schema that would break what the subject's level protects is an *IncompatibleError with the verdict.
func (c *Client) RegisterSchema(ctx context.Context, subject string, schema Schema, options ...RegisterOption) (string, error) {
	request := registerRequest{Subject: c.qualified(subject), Format: schema.Format, Content: schema.Content}
	for _, option := range options {
		option(&request)
	}
	operation := engine.Operation{Name: "register_schema", Method: http.MethodPost, Path: "/schemas", JSON: request, TakesKey: true, Writes: true}
	answer, err := c.call(ctx, operation, engine.CallOptions{IdempotencyKey: request.idempotencyKey})
	if err != nil {
		return "", err
	}
	c.reader.Cache.ForgetSubject(c.qualified(subject))
	value, name, err := parseRecord(answer.Body)
	if err != nil {
		return "", badAnswer(answer, err)
	}
	record := value.(*Record)
	c.reader.Keep(cacheKey("record", record.ID), record, name, answer)
	return record.ID, nil
}

// GetSchema reads a version by its id. GET /schemas/{id}.
func (c *Client) GetSchema(ctx context.Context, id string, options ...ReadOption) (*Record, error) {
	operation := engine.Operation{Name: "get_schema", Method: http.MethodGet, Path: "/schemas/" + encode(id)}
	read := engine.Read{Key: cacheKey("record", id), Operation: operation, Lifetime: always(engine.RecordLifetime), Parse: parseRecord}
	return asRecord(c.read(ctx, read, options))
}

// GetVersion reads a version by number, semantic version, range ("^2", "1.x"), alias or "latest". GET /subjects/{s}/versions/{v}.
func (c *Client) GetVersion(ctx context.Context, subject, version string, options ...ReadOption) (*Record, error) {
	context, name := splitSubject(subject, c.config.context)
	qualified := qualify(context, name)
	key, lifetime := cacheKey("head", context, name, version), c.config.headLifetime
	if number, err := strconv.Atoi(version); err == nil && number > 0 {
		key, lifetime = cacheKey("version", context, name, strconv.Itoa(number)), engine.RecordLifetime
	}
	operation := engine.Operation{Name: "get_version", Method: http.MethodGet, Path: "/subjects/" + encode(qualified) + "/versions/" + encode(version)}
	parse := func(body []byte) (any, string, error) {
		record, _, err := parseRecord(body)
		return record, qualified, err
	}
	return asRecord(c.read(ctx, engine.Read{Key: key, Operation: operation, Lifetime: always(lifetime), Parse: parse}, options))
}

// Latest reads a subject's newest active version.
func (c *Client) Latest(ctx context.Context, subject string, options ...ReadOption) (*Record, error) {
	return c.GetVersion(ctx, subject, "latest", options...)
}

// Validate says whether the schema accepts the data. With a validator it is decided locally once the schema is cached.
func (c *Client) Validate(ctx context.Context, data any, id string, options ...ReadOption) (bool, error) {
	result, err := c.validate(ctx, "validate", data, id, options)
	return result.Valid, err
}

// ExplainValidation says why data is valid or not, with the location of each error.
func (c *Client) ExplainValidation(ctx context.Context, data any, id string, options ...ReadOption) (ValidationResult, error) {
	return c.validate(ctx, "explain_validation", data, id, options)
}

// ValidateBatch validates several data against one schema, in their order.
func (c *Client) ValidateBatch(ctx context.Context, items []any, id string, options ...ReadOption) ([]ValidationResult, error) {
	results := make([]ValidationResult, 0, len(items))
	for _, item := range items {
		result, err := c.validate(ctx, "validate_batch", item, id, options)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

// CheckCompatibility says whether a schema may become the subject's next version. POST /compatibility/check.
func (c *Client) CheckCompatibility(ctx context.Context, subject string, schema Schema, options ...CheckOption) (bool, error) {
	verdict, err := c.ExplainCompatibility(ctx, subject, schema, options...)
	return verdict.Compatible, err
}

// ExplainCompatibility says what a schema would break as the subject's next version, with data that shows it.
func (c *Client) ExplainCompatibility(ctx context.Context, subject string, schema Schema, options ...CheckOption) (Verdict, error) {
	request := checkRequest{Subject: c.qualified(subject), Format: schema.Format, Content: schema.Content}
	for _, option := range options {
		option(&request)
	}
	var verdict Verdict
	err := c.ask(ctx, engine.Operation{Name: "check_compatibility", Method: http.MethodPost, Path: "/compatibility/check", JSON: request}, &verdict)
	return verdict, err
}

// Search finds versions by names, documentation and schema texts. POST /search. The index lags slightly behind writes
// unless
// WithConsistent is given.
func (c *Client) Search(ctx context.Context, query string, options ...SearchOption) *Pages[SearchHit] {
	request := searchRequest{Query: query, token: engine.SendNone}
	for _, option := range options {
		option(&request)
	}
	return newPages(func(cursor string) (page[SearchHit], error) {
		asked := request
		asked.Cursor = cursor
		var answer page[SearchHit]
		err := c.ask(ctx, engine.Operation{Name: "search", Method: http.MethodPost, Path: "/search", JSON: asked, Token: request.token}, &answer)
		return answer, err
	})
}

// ListSubjects lists subjects by name. GET /subjects.
func (c *Client) ListSubjects(ctx context.Context, options ...ListOption) *Pages[Subject] {
	request := listRequest{query: url.Values{}}
	if c.config.context != "" {
		request.query.Set("context", c.config.context)
	}
	for _, option := range options {
		option(&request)
	}
	return listPages[Subject](ctx, c, "list_subjects", "/subjects", request.query)
}

// ListVersions lists a subject's versions, oldest first. GET /subjects/{s}/versions.
func (c *Client) ListVersions(ctx context.Context, subject string) *Pages[Record] {
	return listPages[Record](ctx, c, "list_versions", "/subjects/"+encode(c.qualified(subject))+"/versions", url.Values{})
}

// Update changes a version's attributes or lifecycle state, never its content. PATCH /schemas/{id}.
func (c *Client) Update(ctx context.Context, id string, change *Change) (*Record, error) {
	operation := engine.Operation{Name: "update_schema", Method: http.MethodPatch, Path: "/schemas/" + encode(id), JSON: change.members, TakesKey: true, Writes: true}
	if change.ifMatch != "" {
		operation.Headers = map[string]string{"If-Match": change.ifMatch}
	}
	return c.changed(c.call(ctx, operation, engine.CallOptions{}))
}

// Delete deletes a version; Undelete brings it back. DELETE /schemas/{id}.
func (c *Client) Delete(ctx context.Context, id string) error { return c.delete(ctx, id, false) }

// DeletePermanently deletes a deleted version for good. DELETE /schemas/{id}?permanent=true.
func (c *Client) DeletePermanently(ctx context.Context, id string) error {
	return c.delete(ctx, id, true)
}

// Undelete brings a deleted version back, with its number and ids. POST /schemas/{id}/undelete.
func (c *Client) Undelete(ctx context.Context, id string) (*Record, error) {
	operation := engine.Operation{Name: "undelete_schema", Method: http.MethodPost, Path: "/schemas/" + encode(id) + "/undelete", TakesKey: true, Writes: true}
	return c.changed(c.call(ctx, operation, engine.CallOptions{}))
}

// Project rewrites a schema for a model provider. GET /schemas/{id}/project/{profile}.
func (c *Client) Project(ctx context.Context, id, profile string) (*Projection, error) {
	var projection Projection
	path := "/schemas/" + encode(id) + "/project/" + encode(profile)
	err := c.ask(ctx, engine.Operation{Name: "project_schema", Method: http.MethodGet, Path: path}, &projection)
	return &projection, err
}

// Decode turns a model's answer, its text or its value, back into data of the original schema, and validates it. POST /decode-answer.
func (c *Client) Decode(ctx context.Context, id, profile string, answer any) ([]DecodedAnswer, error) {
	var decoded struct {
		Answers []DecodedAnswer `json:"answers"`
	}
	request := map[string]any{"id": id, "profile": profile, "answer": answer}
	err := c.ask(ctx, engine.Operation{Name: "decode_answer", Method: http.MethodPost, Path: "/decode-answer", JSON: request}, &decoded)
	return decoded.Answers, err
}

// Health says whether the registry answers. GET /health.
func (c *Client) Health(ctx context.Context) (status string, err error) {
	var health struct {
		Status string `json:"status"`
	}
	err = c.ask(ctx, engine.Operation{Name: "health", Method: http.MethodGet, Path: "/health", Token: engine.SendNone}, &health)
	return health.Status, err
}

func (c *Client) delete(ctx context.Context, id string, permanent bool) error {
	operation := engine.Operation{Name: "delete_schema", Method: http.MethodDelete, Path: "/schemas/" + encode(id), TakesKey: true, Writes: true}
	if permanent {
		operation.Query = url.Values{"permanent": {"true"}}
	}
	known, isKnown := c.reader.Cache.Value(cacheKey("record", id))
	if _, err := c.call(ctx, operation, engine.CallOptions{}); err != nil {
		return err
	}
	// The subject is known only if the record was read before; otherwise every head entry is removed.
	if isKnown {
		record := known.(*Record)
		c.reader.Cache.ForgetSubject(qualify(record.Context, record.Subject))
	} else {
		c.reader.Cache.Clear()
	}
	if permanent {
		c.reader.Cache.Remove(cacheKey("content", id))
	}
	return nil
}

func (c *Client) validate(ctx context.Context, name string, data any, id string, options []ReadOption) (ValidationResult, error) {
	chosen := readOptions{}
	for _, option := range options {
		option(&chosen)
	}
	if !chosen.remote && c.config.validator != nil {
		result, decided, err := c.validateHere(ctx, name, data, id, options)
		if decided || err != nil {
			return result, err
		}
	}
	var result ValidationResult
	request := map[string]any{"data": data}
	err := c.ask(ctx, engine.Operation{Name: name, Method: http.MethodPost, Path: "/schemas/" + encode(id) + "/validate", JSON: request}, &result)
	return result, err
}

func (c *Client) validateHere(ctx context.Context, name string, data any, id string, options []ReadOption) (ValidationResult, bool, error) {
	answer, err := c.read(ctx, engine.Read{
		Key:       cacheKey("content", id),
		Operation: contentOperation(name, id),
		Content:   true,
		Lifetime:  engine.ContentLifetimeOf,
		Parse:     parseContent,
	}, options)
	if err != nil {
		return ValidationResult{}, false, err
	}
	content := answer.Value.(*Content)
	prepared, err := c.prepare(ctx, name, id, content)
	if prepared == nil || err != nil {
		return ValidationResult{}, false, err
	}
	result, decided := prepared.Validate(data)
	result.Engine, result.Stale = "local", answer.Stale
	return result, decided, nil
}

// preparedContent keeps a validator beside the content that it was made from.
type preparedContent struct {
	content *Content
	schema  PreparedSchema
}

func (c *Client) prepare(ctx context.Context, name, id string, content *Content) (PreparedSchema, error) {
	if known, ok := c.prepared.Load(id); ok && known.(preparedContent).content == content {
		return known.(preparedContent).schema, nil
	}
	bundled, err := c.readBundled(ctx, name, id, content)
	if err != nil {
		return nil, err
	}
	var schema PreparedSchema
	if bundled != nil {
		schema, err = c.config.validator.Prepare(*bundled)
	}
	if err != nil {
		// What the local engine cannot read is left to the registry.
		schema = nil
	}
	c.prepared.Store(id, preparedContent{content, schema})
	return schema, nil
}

// readBundled returns the content with its references inlined by the registry, or nil if that is impossible. The
// registry inlines them, because names and bare subjects resolve relative to the referring schema.
func (c *Client) readBundled(ctx context.Context, name, id string, content *Content) (*Content, error) {
	if len(content.References) == 0 {
		return content, nil
	}
	if content.Format != "json-schema" {
		return nil, nil
	}
	operation := contentOperation(name, id)
	operation.Query = url.Values{"bundle": {"true"}}
	bundled := &Content{}
	err := c.ask(ctx, operation, bundled)
	var refused *APIError
	if errors.As(err, &refused) && refused.Status == http.StatusUnprocessableEntity {
		return nil, nil
	}
	return bundled, err
}

func contentOperation(name, id string) engine.Operation {
	return engine.Operation{Name: name, Method: http.MethodGet, Path: "/schemas/" + encode(id) + "/content"}
}

func (c *Client) changed(answer *engine.Answer, err error) (*Record, error) {
	if err != nil {
		return nil, err
	}
	value, subject, err := parseRecord(answer.Body)
	if err != nil {
		// Only the answer names the subject that changed.
		c.reader.Cache.Clear()
		return nil, badAnswer(answer, err)
	}
	record := value.(*Record)
	c.reader.Cache.ForgetSubject(subject)
	c.reader.Cache.Remove(cacheKey("record", record.ID))
	return record, nil
}

func (c *Client) read(ctx context.Context, read engine.Read, options []ReadOption) (engine.ReadAnswer, error) {
	if c.err != nil {
		return engine.ReadAnswer{}, c.err
	}
	chosen := readOptions{}
	for _, option := range options {
		option(&chosen)
	}
	callOptions := engine.CallOptions{}
	if chosen.minToken != "" {
		token, ok := engine.ParseToken(chosen.minToken)
		if !ok {
			return engine.ReadAnswer{}, configurationError("%q is not a token; expected <epoch>.<seq>.<seq of the last hard delete>", chosen.minToken)
		}
		callOptions.MinToken = &token
	}
	began := c.settings.Clock.Monotonic()
	answer, err := c.reader.Get(ctx, read, callOptions)
	err = describeError(err)
	c.report(read.Operation.Name, began, answer.Attempts, answer.Source, err)
	return answer, err
}

func (c *Client) call(ctx context.Context, operation engine.Operation, options engine.CallOptions) (*engine.Answer, error) {
	if c.err != nil {
		return nil, c.err
	}
	began := c.settings.Clock.Monotonic()
	answer, err := c.settings.Run(ctx, operation, options)
	err = describeError(err)
	attempts := 0
	if answer != nil {
		attempts = answer.Attempts
	}
	c.report(operation.Name, began, attempts, "network", err)
	return answer, err
}

func (c *Client) ask(ctx context.Context, operation engine.Operation, value any) error {
	answer, err := c.call(ctx, operation, engine.CallOptions{})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer.Body, value); err != nil {
		return badAnswer(answer, err)
	}
	return nil
}

func (c *Client) report(operation string, began time.Duration, attempts int, source string, err error) {
	event := engine.Event{Kind: "call", Operation: operation, Attempt: attempts, Source: source, Breaker: c.settings.Breaker.State()}
	event.Duration = c.settings.Clock.Monotonic() - began
	var api *APIError
	var client *ClientError
	switch {
	case errors.As(err, &api):
		event.Code, event.Attempt = api.Code, api.Attempts
	case errors.As(err, &client):
		event.Code, event.Attempt = client.Code, client.Attempts
	case err != nil:
		event.Code = "cancelled"
	}
	if err != nil {
		event.Source = ""
	}
	c.settings.Emit(event)
}

func badAnswer(answer *engine.Answer, cause error) error {
	return describeError(&engine.Failure{Kind: engine.BadAnswer, Status: answer.Status, Attempts: answer.Attempts, Cause: cause})
}

func parseRecord(body []byte) (any, string, error) {
	record := &Record{}
	if err := json.Unmarshal(body, record); err != nil {
		return nil, "", err
	}
	return record, qualify(record.Context, record.Subject), nil
}

func parseContent(body []byte) (any, string, error) {
	content := &Content{}
	err := json.Unmarshal(body, content)
	return content, "", err
}

// asRecord copies the cached record, so that callers may change theirs.
func asRecord(answer engine.ReadAnswer, err error) (*Record, error) {
	if err != nil {
		return nil, err
	}
	record := *answer.Value.(*Record)
	record.Stale = answer.Stale
	return &record, nil
}

func always(lifetime time.Duration) func(http.Header) time.Duration {
	return func(http.Header) time.Duration { return lifetime }
}
