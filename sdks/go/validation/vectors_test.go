package validation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	schemaregistry "github.com/llm/schema-registry-go"
	"github.com/llm/schema-registry-go/validation"
)

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
		Vectors []struct {
			Description    string          `json:"description"`
			Schema         json.RawMessage `json:"schema"`
			Valid, Invalid []json.RawMessage
		} `json:"vectors"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	client := schemaregistry.NewClient(address, schemaregistry.WithValidator(validation.JSONSchema{}))
	defer client.Close()
	ctx := context.Background()
	for i, vector := range document.Vectors {
		subject := fmt.Sprintf("go-vector-%d-%d", i, time.Now().UnixNano())
		id, err := client.RegisterSchema(ctx, subject, schemaregistry.JSONSchema([]byte(vector.Schema)))
		if err != nil {
			t.Errorf("%s: %v", vector.Description, err)
			continue
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
