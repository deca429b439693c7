package validation_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	schemaregistry "github.com/llm/schema-registry-go"
	"github.com/llm/schema-registry-go/validation"
)

type registered struct {
	Subject    string
	Schema     json.RawMessage
	References []schemaregistry.Reference
}

// TestVectors is contract/vectors/validation: the answers that every SDK gives, in its process and by asking.
func TestVectors(t *testing.T) {
	address := os.Getenv("REGISTRY_URL")
	if address == "" {
		t.Skip("REGISTRY_URL names no started registry")
	}
	text, err := os.ReadFile("../../../contract/vectors/validation/json-schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Vectors []json.RawMessage `json:"vectors"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	client := schemaregistry.NewClient(address, schemaregistry.WithValidator(validation.JSONSchema{}))
	defer client.Close()
	ctx := context.Background()
	for i, text := range document.Vectors {
		run := fmt.Sprintf("go-vector-%d-%d", i, time.Now().UnixNano())
		var vector struct {
			registered
			Description    string
			Before         []registered
			Valid, Invalid []json.RawMessage
		}
		if err := json.Unmarshal(bytes.ReplaceAll(text, []byte("$run"), []byte(run)), &vector); err != nil {
			t.Fatal(err)
		}
		if vector.Subject == "" {
			vector.Subject = run
		}
		var id string
		for _, schema := range append(vector.Before, vector.registered) {
			content := schemaregistry.JSONSchema([]byte(schema.Schema))
			if id, err = client.RegisterSchema(ctx, schema.Subject, content, schemaregistry.WithReferences(schema.References...)); err != nil {
				t.Fatalf("%s: %v", vector.Description, err)
			}
		}
		expect := func(data json.RawMessage, expected bool) {
			for _, options := range [][]schemaregistry.ReadOption{nil, {schemaregistry.WithRemote()}} {
				if valid, err := client.Validate(ctx, data, id, options...); err != nil || valid != expected {
					t.Errorf("%s: %s gave %v, %v with %d options", vector.Description, data, valid, err, len(options))
				}
			}
		}
		for _, data := range vector.Valid {
			expect(data, true)
		}
		for _, data := range vector.Invalid {
			expect(data, false)
		}
	}
}
