package clients

import (
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/rest"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde"
	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry/serde/avrov2"
)

// confluentClient has a cache of its own, so that a new one asks the registry.
func confluentClient(t *testing.T) schemaregistry.Client {
	found, err := schemaregistry.NewClient(schemaregistry.NewConfig(registryURL()))
	require(t, err)
	return found
}

func info(schema string) schemaregistry.SchemaInfo {
	return schemaregistry.SchemaInfo{Schema: schema, SchemaType: "AVRO"}
}

func refusedByConfluent(t *testing.T, err error, code int) {
	t.Helper()
	var refusal *rest.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal", err)
	}
	equal(t, refusal.Code, code)
}

func TestConfluentSubjectLivesAndDies(t *testing.T) {
	registry, subject := confluentClient(t), unique("confluent-life")

	first, err := registry.Register(subject, info(user), false)
	require(t, err)
	second, err := registry.RegisterFullResponse(subject, info(userWithEmail), false)
	require(t, err)
	_, err = registry.Register(subject, info(incompatibleUser), false)
	refusedByConfluent(t, err, 40901)

	compatible, err := registry.TestSubjectCompatibility(subject, info(incompatibleUser))
	require(t, err)
	equal(t, compatible, false)
	compatible, err = registry.TestCompatibility(subject, 2, info(user))
	require(t, err)
	equal(t, compatible, true)
	id, err := confluentClient(t).GetID(subject, info(user), false)
	require(t, err)
	equal(t, id, first)
	version, err := confluentClient(t).GetVersion(subject, info(userWithEmail), true)
	require(t, err)
	equal(t, version, 2)
	found, err := confluentClient(t).GetBySubjectAndID(subject, first)
	require(t, err)
	equal(t, found.Schema, user)
	found, err = confluentClient(t).GetByGUID(second.GUID)
	require(t, err)
	equal(t, found.Schema, userWithEmail)
	latest, err := registry.GetLatestSchemaMetadata(subject)
	require(t, err)
	equal(t, latest.ID, second.ID)
	subjects, err := registry.GetAllSubjects()
	require(t, err)
	equal(t, slices.Contains(subjects, subject), true)

	deleted, err := registry.DeleteSubjectVersion(subject, 1, false)
	require(t, err)
	equal(t, deleted, 1)
	_, err = registry.DeleteSubject(subject, false)
	require(t, err)
	versions, err := registry.DeleteSubject(subject, true)
	require(t, err)
	equal(t, slices.Equal(versions, []int{1, 2}), true)
	_, err = confluentClient(t).GetAllVersions(subject)
	refusedByConfluent(t, err, 40401)
}

func TestConfluentDeletedSubjectIsRegisteredAgain(t *testing.T) {
	subject := unique("confluent-again")
	first, err := confluentClient(t).Register(subject, info(user), false)
	require(t, err)
	_, err = confluentClient(t).DeleteSubject(subject, false)
	require(t, err)

	again, err := confluentClient(t).RegisterFullResponse(subject, info(user), false)
	require(t, err)
	evolved, err := confluentClient(t).RegisterFullResponse(subject, info(userWithEmail), false)
	require(t, err)

	equal(t, again.ID, first)
	equal(t, again.Version, 2)
	equal(t, evolved.Version, 3)
	version, err := confluentClient(t).GetVersion(subject, info(user), false)
	require(t, err)
	equal(t, version, 2)
	versions, err := confluentClient(t).GetAllVersions(subject)
	require(t, err)
	equal(t, slices.Equal(versions, []int{2, 3}), true)
}

func TestConfluentConfig(t *testing.T) {
	registry, subject := confluentClient(t), unique("confluent-config")

	_, err := registry.UpdateCompatibility(subject, schemaregistry.Full)
	require(t, err)
	level, err := registry.GetCompatibility(subject)
	require(t, err)
	equal(t, level, schemaregistry.Full)
	_, err = registry.GetConfig(unique("confluent-nothing"), false)
	var refusal *rest.Error
	equal(t, errors.As(err, &refusal) && refusal.Code/100 == http.StatusNotFound, true)
}

func TestConfluentAvroRoundTrip(t *testing.T) {
	topic := unique("confluent-avro")
	config := avrov2.NewSerializerConfig()
	config.AutoRegisterSchemas, config.UseLatestVersion = false, true
	_, err := confluentClient(t).Register(topic+"-value", info(user), false)
	require(t, err)
	serializer, err := avrov2.NewSerializer(confluentClient(t), serde.ValueSerde, config)
	require(t, err)
	deserializer, err := avrov2.NewDeserializer(confluentClient(t), serde.ValueSerde, avrov2.NewDeserializerConfig())
	require(t, err)

	data, err := serializer.Serialize(topic, &User{Name: "Ada"})
	require(t, err)
	var read User
	require(t, deserializer.DeserializeInto(topic, data, &read))

	equal(t, data[0], 0)
	equal(t, read.Name, "Ada")
}
