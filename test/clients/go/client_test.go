// Package clients runs the Go clients franz-go/pkg/sr and confluent-kafka-go against the registry at REGISTRY_URL.
package clients

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/bufbuild/protocompile"
	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"
)

const user = `{"type":"record","name":"User","fields":[{"name":"name","type":"string"}]}`
const userWithEmail = `{"type":"record","name":"User","fields":[{"name":"name","type":"string"},` +
	`{"name":"email","type":"string","default":""}]}`
const userWithAge = `{"type":"record","name":"User","fields":[{"name":"name","type":"string"},` +
	`{"name":"age","type":"int","default":0}]}`
const incompatibleUser = `{"type":"record","name":"User","fields":[{"name":"name","type":"string"},` +
	`{"name":"must","type":"string"}]}`

var ctx = context.Background()

func registryURL() string {
	if url := os.Getenv("REGISTRY_URL"); url != "" {
		return url
	}
	return "http://127.0.0.1:8080"
}

func client(t *testing.T) *sr.Client {
	found, err := sr.NewClient(sr.URLs(registryURL()))
	require(t, err)
	return found
}

func unique(name string) string {
	return fmt.Sprintf("go-%s-%d", name, time.Now().UnixNano())
}

func require(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("got %v, want %v", got, want)
	}
}

func refused(t *testing.T, err error, status, code int) {
	t.Helper()
	var response *sr.ResponseError
	if !errors.As(err, &response) {
		t.Fatalf("got %v, want a refusal", err)
	}
	equal(t, response.StatusCode, status)
	equal(t, response.ErrorCode, code)
}

func TestSubjectLivesAndDies(t *testing.T) {
	registry, subject := client(t), unique("life")

	first, err := registry.CreateSchema(ctx, subject, sr.Schema{Schema: user})
	require(t, err)
	second, err := registry.CreateSchema(ctx, subject, sr.Schema{Schema: userWithEmail})
	require(t, err)
	equal(t, second.Version, 2)
	_, err = registry.CreateSchema(ctx, subject, sr.Schema{Schema: incompatibleUser})
	refused(t, err, http.StatusConflict, 40901)

	checked, err := registry.CheckCompatibility(ctx, subject, -1, sr.Schema{Schema: incompatibleUser})
	require(t, err)
	equal(t, checked.Is, false)
	found, err := registry.LookupSchema(ctx, subject, sr.Schema{Schema: user})
	require(t, err)
	equal(t, found.ID, first.ID)
	byID, err := registry.SchemaByID(ctx, first.ID)
	require(t, err)
	equal(t, byID.Schema, user)
	text, err := registry.SchemaTextByVersion(ctx, subject, -1)
	require(t, err)
	equal(t, text, userWithEmail)
	text, err = registry.SchemaTextByID(ctx, second.ID)
	require(t, err)
	equal(t, text, userWithEmail)
	byGUID, err := registry.SchemaByGUID(ctx, first.GUID)
	require(t, err)
	equal(t, byGUID.Schema.Schema, user)
	uses, err := registry.SchemaVersionsByID(ctx, first.ID)
	require(t, err)
	if !slices.Contains(uses, sr.SubjectVersion{Subject: subject, Version: 1}) {
		t.Fatalf("%v does not contain the subject", uses)
	}
	versions, err := registry.SubjectVersions(ctx, subject)
	require(t, err)
	equal(t, len(versions), 2)
	subjects, err := registry.Subjects(ctx)
	require(t, err)
	equal(t, slices.Contains(subjects, subject), true)

	require(t, registry.DeleteSchema(ctx, subject, 1, sr.SoftDelete))
	deleted, err := registry.DeleteSubject(ctx, subject, sr.SoftDelete)
	require(t, err)
	equal(t, len(deleted), 1)
	_, err = registry.SubjectVersions(ctx, subject)
	refused(t, err, http.StatusNotFound, 40401)
	deleted, err = registry.DeleteSubject(ctx, subject, sr.HardDelete)
	require(t, err)
	equal(t, len(deleted), 2)
}

func TestDeletedSubjectIsRegisteredAgain(t *testing.T) {
	registry, subject := client(t), unique("again")
	first, err := registry.CreateSchema(ctx, subject, sr.Schema{Schema: user})
	require(t, err)
	_, err = registry.DeleteSubject(ctx, subject, sr.SoftDelete)
	require(t, err)

	again, err := registry.CreateSchema(ctx, subject, sr.Schema{Schema: user})
	require(t, err)
	evolved, err := registry.CreateSchema(ctx, subject, sr.Schema{Schema: userWithEmail})
	require(t, err)

	equal(t, again.ID, first.ID)
	equal(t, again.Version, 2)
	equal(t, evolved.Version, 3)
	versions, err := registry.SubjectVersions(ctx, subject)
	require(t, err)
	equal(t, fmt.Sprint(versions), "[2 3]")
	latest, err := registry.SchemaByVersion(ctx, subject, -1)
	require(t, err)
	equal(t, latest.ID, evolved.ID)
}

func TestDeletedVersionIsRegisteredAgain(t *testing.T) {
	registry, subject := client(t), unique("again-version")
	first, err := registry.CreateSchema(ctx, subject, sr.Schema{Schema: user})
	require(t, err)
	_, err = registry.CreateSchema(ctx, subject, sr.Schema{Schema: userWithEmail})
	require(t, err)
	require(t, registry.DeleteSchema(ctx, subject, 1, sr.SoftDelete))

	again, err := registry.CreateSchema(ctx, subject, sr.Schema{Schema: user})
	require(t, err)
	_, err = registry.CreateSchema(ctx, subject, sr.Schema{Schema: incompatibleUser})
	refused(t, err, http.StatusConflict, 40901)
	evolved, err := registry.CreateSchema(ctx, subject, sr.Schema{Schema: userWithAge})
	require(t, err)

	equal(t, again.ID, first.ID)
	equal(t, again.Version, 3)
	equal(t, evolved.Version, 4)
}

func TestReferences(t *testing.T) {
	registry, subject := client(t), unique("reference")
	_, err := registry.CreateSchema(ctx, subject+"-base", sr.Schema{Schema: user})
	require(t, err)
	referring := sr.Schema{
		Schema:     `{"type":"record","name":"Team","fields":[{"name":"lead","type":"User"}]}`,
		References: []sr.SchemaReference{{Name: "User", Subject: subject + "-base", Version: 1}},
	}

	created, err := registry.CreateSchema(ctx, subject, referring)
	require(t, err)
	referrers, err := registry.SchemaReferences(ctx, subject+"-base", 1)
	require(t, err)

	equal(t, len(referrers), 1)
	equal(t, referrers[0].ID, created.ID)
	err = registry.DeleteSchema(ctx, subject+"-base", 1, sr.SoftDelete)
	refused(t, err, http.StatusUnprocessableEntity, 42206)
}

func TestCompatibilityAndMode(t *testing.T) {
	registry, subject := client(t), unique("config")

	set := registry.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFull}, subject)
	require(t, set[0].Err)
	read := registry.Compatibility(ctx, subject)
	require(t, read[0].Err)
	equal(t, read[0].Level, sr.CompatFull)
	reset := registry.ResetCompatibility(ctx, subject)
	require(t, reset[0].Err)

	mode := registry.SetMode(ctx, sr.ModeReadOnly, subject)
	require(t, mode[0].Err)
	_, err := registry.CreateSchema(ctx, subject, sr.Schema{Schema: user})
	refused(t, err, http.StatusUnprocessableEntity, 42205)
	mode = registry.ResetMode(ctx, subject)
	require(t, mode[0].Err)
}

func TestImport(t *testing.T) {
	registry, subject := client(t), "subject"
	inside := sr.InContext(ctx, "."+unique("import"))
	mode := registry.SetMode(inside, sr.ModeImport, subject)
	require(t, mode[0].Err)

	imported, err := registry.CreateSchemaWithIDAndVersion(inside, subject, sr.Schema{Schema: user}, 100, 5)
	require(t, err)

	equal(t, imported.ID, 100)
	equal(t, imported.Version, 5)
}

func TestContexts(t *testing.T) {
	registry, name := client(t), "."+unique("context")
	inside := sr.InContext(ctx, name)
	created, err := registry.CreateSchema(inside, "orders", sr.Schema{Schema: user})
	require(t, err)
	equal(t, created.ID, 1)
	contexts, err := registry.Contexts(ctx)
	require(t, err)
	equal(t, slices.Contains(contexts, name), true)
	_, err = registry.DeleteSubject(inside, "orders", sr.SoftDelete)
	require(t, err)
	_, err = registry.DeleteSubject(inside, "orders", sr.HardDelete)
	require(t, err)
	require(t, registry.DeleteContext(ctx, name))
}

type User struct {
	Name string `avro:"name" json:"name"`
}

func TestAvroRoundTrip(t *testing.T) {
	registry, serde := client(t), sr.NewSerde()
	created, err := registry.CreateSchema(ctx, unique("avro"), sr.Schema{Schema: user})
	require(t, err)
	schema := avro.MustParse(created.Schema.Schema)
	serde.Register(created.ID, User{},
		sr.EncodeFn(func(value any) ([]byte, error) { return avro.Marshal(schema, value) }),
		sr.DecodeFn(func(data []byte, value any) error { return avro.Unmarshal(schema, data, value) }))

	var read User
	require(t, serde.Decode(serde.MustEncode(User{Name: "Ada"}), &read))

	equal(t, read.Name, "Ada")
}

func TestJSONRoundTrip(t *testing.T) {
	registry, serde := client(t), sr.NewSerde()
	schema := sr.Schema{Type: sr.TypeJSON, Schema: `{"type":"object","properties":{"name":{"type":"string"}}}`}
	created, err := registry.CreateSchema(ctx, unique("json"), schema)
	require(t, err)
	equal(t, created.Type, sr.TypeJSON)
	serde.Register(created.ID, User{}, sr.EncodeFn(json.Marshal), sr.DecodeFn(json.Unmarshal))

	var read User
	require(t, serde.Decode(serde.MustEncode(User{Name: "Ada"}), &read))

	equal(t, read.Name, "Ada")
}

func TestProtobufRoundTrip(t *testing.T) {
	registry, serde := client(t), sr.NewSerde()
	text := "syntax = \"proto3\";\nmessage Other {\n  int32 n = 1;\n}\nmessage User {\n  string name = 1;\n}\n"
	created, err := registry.CreateSchema(ctx, unique("protobuf"), sr.Schema{Type: sr.TypeProtobuf, Schema: text})
	require(t, err)
	stored, err := registry.SchemaTextByID(ctx, created.ID)
	require(t, err)
	accessor := protocompile.SourceAccessorFromMap(map[string]string{"user.proto": stored})
	compiler := protocompile.Compiler{Resolver: &protocompile.SourceResolver{Accessor: accessor}}
	files, err := compiler.Compile(ctx, "user.proto")
	require(t, err)
	message := files[0].Messages().ByName("User")
	serde.Register(created.ID, &dynamicpb.Message{}, sr.Index(1),
		sr.EncodeFn(func(value any) ([]byte, error) { return proto.Marshal(value.(proto.Message)) }),
		sr.DecodeFn(func(data []byte, value any) error { return proto.Unmarshal(data, value.(proto.Message)) }))
	sent, read := dynamicpb.NewMessage(message), dynamicpb.NewMessage(message)
	name := message.Fields().ByName("name")
	sent.Set(name, protoreflect.ValueOfString("Ada"))

	require(t, serde.Decode(serde.MustEncode(sent), read))

	equal(t, read.Get(name).String(), "Ada")
}
