package clients

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/confluentinc/confluent-kafka-go/v2/schemaregistry"
	"github.com/twmb/franz-go/pkg/sr"
)

// guardedRegistry is one that asks for credentials: its URL, and the id and the secret of a key as user and password.
func guardedRegistry(t *testing.T) (url, user, password string) {
	t.Helper()
	url = os.Getenv("GUARDED_REGISTRY_URL")
	user, password, found := strings.Cut(os.Getenv("GUARDED_REGISTRY_USER_INFO"), ":")
	if url == "" || !found {
		t.Skip("no registry that asks for credentials")
	}
	return url, user, password
}

func TestConfluentWithBasicCredentials(t *testing.T) {
	url, keyID, password := guardedRegistry(t)
	open := func(secret string) schemaregistry.Client {
		found, err := schemaregistry.NewClient(schemaregistry.NewConfigWithBasicAuthentication(url, keyID, secret))
		require(t, err)
		return found
	}
	subject := unique("confluent-basic")

	id, err := open(password).Register(subject, info(user), false)
	require(t, err)
	latest, err := open(password).GetLatestSchemaMetadata(subject)
	require(t, err)
	_, err = open(strings.Repeat("0", 64)).GetAllSubjects()

	equal(t, latest.ID, id)
	refusedByConfluent(t, err, http.StatusUnauthorized)
}

func TestFranzWithBasicCredentials(t *testing.T) {
	url, keyID, password := guardedRegistry(t)
	open := func(secret string) *sr.Client {
		found, err := sr.NewClient(sr.URLs(url), sr.BasicAuth(keyID, secret))
		require(t, err)
		return found
	}
	subject := unique("basic")

	created, err := open(password).CreateSchema(ctx, subject, sr.Schema{Schema: user})
	require(t, err)
	latest, err := open(password).SchemaByVersion(ctx, subject, -1)
	require(t, err)
	_, err = open(strings.Repeat("0", 64)).Subjects(ctx)

	equal(t, latest.ID, created.ID)
	var refusal *sr.ResponseError
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal", err)
	}
	equal(t, refusal.ErrorCode, http.StatusUnauthorized)
}
