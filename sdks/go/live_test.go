package schemaregistry_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	schemaregistry "github.com/llm/schema-registry-go"
)

func live(t *testing.T) (*schemaregistry.Client, context.Context, func(string) string) {
	t.Helper()
	address := os.Getenv("REGISTRY_URL")
	if address == "" {
		t.Skip("REGISTRY_URL names no started registry")
	}
	client := schemaregistry.NewClient(address, schemaregistry.WithApp("live-test"))
	t.Cleanup(client.Close)
	newSubject := func(name string) string { return fmt.Sprintf("go-%s/%%é-%d", name, time.Now().UnixNano()) }
	return client, context.Background(), newSubject
}

func must[Value any](t *testing.T) func(Value, error) Value {
	return func(value Value, err error) Value {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func TestRegistersAllThreeFormats(t *testing.T) {
	client, ctx, newSubject := live(t)
	for format, schema := range map[string]schemaregistry.Schema{
		"avro":        schemaregistry.AvroSchema(map[string]any{"type": "record", "name": "A", "fields": []any{}}),
		"protobuf":    schemaregistry.ProtobufSchema(`syntax = "proto3"; message M {}`),
		"json-schema": schemaregistry.JSONSchema([]byte(`{"type": "object"}`)),
	} {
		id := must[string](t)(client.RegisterSchema(ctx, newSubject(format), schema, schemaregistry.WithTags("a"), schemaregistry.WithOwner("o"), schemaregistry.WithDescription("d"), schemaregistry.WithMetadata(map[string]any{"k": "v"}), schemaregistry.WithRole("data")))
		record := must[*schemaregistry.Record](t)(client.GetSchema(ctx, id))
		if record.Format != format || record.Version != "1.0.0" || record.Owner != "o" {
			t.Errorf("%+v", record)
		}
	}
}

func TestReadsItsOwnWrites(t *testing.T) {
	client, ctx, newSubject := live(t)
	subject := newSubject("evolve")
	must[string](t)(client.RegisterSchema(ctx, subject, schemaregistry.JSONSchema(map[string]any{"type": "object"}), schemaregistry.WithCompatibilityLevel("NONE")))
	must[*schemaregistry.Record](t)(client.Latest(ctx, subject))
	second := must[string](t)(client.RegisterSchema(ctx, subject, schemaregistry.JSONSchema(map[string]any{"type": "array"}), schemaregistry.WithVersion("2.0.0"), schemaregistry.WithState("active")))

	if latest := must[*schemaregistry.Record](t)(client.Latest(ctx, subject)); latest.ID != second || latest.Version != "2.0.0" {
		t.Errorf("latest is %+v", latest)
	}
	if versions := must[[]schemaregistry.Record](t)(client.ListVersions(ctx, subject).All()); len(versions) != 2 {
		t.Errorf("%d versions", len(versions))
	}
}

func TestSaysWhyACheckRefuses(t *testing.T) {
	client, ctx, newSubject := live(t)
	subject := newSubject("check")
	must[string](t)(client.RegisterSchema(ctx, subject, schemaregistry.JSONSchema(map[string]any{"type": "string"})))

	verdict := must[schemaregistry.Verdict](t)(client.ExplainCompatibility(ctx, subject, schemaregistry.JSONSchema(map[string]any{"type": "integer"}), schemaregistry.CheckLevel("FULL"), schemaregistry.CheckPolicy("strict"), schemaregistry.CheckVersion("all"), schemaregistry.CheckReferences()))

	if verdict.Compatible || len(verdict.Differences) == 0 || verdict.Differences[0].Witness == nil {
		t.Errorf("%+v", verdict)
	}
	_, err := client.RegisterSchema(ctx, subject, schemaregistry.JSONSchema(map[string]any{"type": "integer"}))
	var incompatible *schemaregistry.IncompatibleError
	var api *schemaregistry.APIError
	if !errors.As(err, &incompatible) || !errors.As(err, &api) || !errors.Is(err, schemaregistry.ErrIncompatible) || len(incompatible.Verdict.Differences) == 0 {
		t.Errorf("%v", err)
	}
}

func TestChangesDeletesAndBringsBack(t *testing.T) {
	client, ctx, newSubject := live(t)
	id := must[string](t)(client.RegisterSchema(ctx, newSubject("life"), schemaregistry.JSONSchema(true), schemaregistry.WithOwner("a"), schemaregistry.WithTags("x")))

	changed := must[*schemaregistry.Record](t)(client.Update(ctx, id, schemaregistry.NewChange().Clear("owner").Set("state", "deprecated")))
	if changed.Owner != "" || changed.State != "deprecated" || len(changed.Tags) != 1 {
		t.Errorf("%+v", changed)
	}
	if _, err := client.Update(ctx, id, schemaregistry.NewChange().Set("owner", "b").IfMatch(`"1"`)); !errors.Is(err, schemaregistry.ErrPreconditionFailed) {
		t.Errorf("an old ETag gave %v", err)
	}
	must[*schemaregistry.Record](t)(client.GetSchema(ctx, id))
	if err := client.Delete(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := client.GetSchema(ctx, id); !errors.Is(err, schemaregistry.ErrNotFound) {
		t.Errorf("a deleted version gave %v", err)
	}
	if back := must[*schemaregistry.Record](t)(client.Undelete(ctx, id)); back.VersionNumber != 1 {
		t.Errorf("%+v", back)
	}
	for _, remove := range []func(context.Context, string) error{client.Delete, client.DeletePermanently} {
		if err := remove(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := client.Undelete(ctx, id); !errors.Is(err, schemaregistry.ErrNotFound) {
		t.Errorf("a version deleted for good gave %v", err)
	}
}

func TestProjectsDecodesSearchesAndFollows(t *testing.T) {
	client, ctx, _ := live(t)
	word := fmt.Sprintf("word%d", time.Now().UnixNano())
	schema := map[string]any{"title": word, "type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}, "unit": map[string]any{"type": "string"}}, "required": []string{"city"}}
	id := must[string](t)(client.RegisterSchema(ctx, "go-"+word, schemaregistry.JSONSchema(schema)))

	if projection := must[*schemaregistry.Projection](t)(client.Project(ctx, id, "openai-strict")); projection.Loss != "lossless" {
		t.Errorf("%+v", projection)
	}
	answers := must[[]schemaregistry.DecodedAnswer](t)(client.Decode(ctx, id, "openai-strict", `{"city": "Oslo", "unit": null}`))
	if len(answers) != 1 || string(answers[0].Value) != `{"city":"Oslo"}` {
		t.Errorf("%+v", answers)
	}
	hits := must[[]schemaregistry.SearchHit](t)(client.Search(ctx, word, schemaregistry.WithConsistent(), schemaregistry.WithFilters(schemaregistry.SearchFilters{Format: "json-schema"})).All())
	if len(hits) != 1 || hits[0].Record.ID != id {
		t.Errorf("%+v", hits)
	}
	record := must[*schemaregistry.Record](t)(client.GetSchema(ctx, id))
	stream := client.Events(ctx, schemaregistry.WithAfter(record.Seq-1), schemaregistry.WithSubjects("go-"+word), schemaregistry.WithTypes("schema.registered"))
	defer stream.Close()
	if !stream.Next() || stream.Value().Seq != record.Seq || !strings.HasSuffix(stream.Value().Type, "schema.registered") {
		t.Errorf("%+v %v", stream.Value(), stream.Err())
	}
	if status := must[string](t)(client.Health(ctx)); status != "ok" {
		t.Errorf("health is %s", status)
	}
}
