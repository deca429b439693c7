// Package structtags makes JSON Schemas of Go structs, from their json and jsonschema tags, and registers them.
//
//	type Order struct {
//		ID    string `json:"id" jsonschema:"minLength=1"`
//		Items []Item `json:"items,omitempty"`
//	}
//
//	id, err := structtags.Push[Order](ctx, client, "orders")
package structtags

import (
	"context"
	"encoding/json"

	"github.com/invopop/jsonschema"
	schemaregistry "github.com/llm/schema-registry-go"
)

// Schema is the JSON Schema of a type: members without omitempty are required, and other members are accepted, as encoding/json
// accepts them. The tags of github.com/invopop/jsonschema say more.
func Schema[T any]() (schemaregistry.Schema, error) {
	// A schema's id would be an address that is not served.
	reflector := jsonschema.Reflector{Anonymous: true, AllowAdditionalProperties: true}
	var value T
	text, err := json.Marshal(reflector.Reflect(&value))
	if err != nil {
		return schemaregistry.Schema{}, err
	}
	return schemaregistry.JSONSchema(text), nil
}

// Push registers the JSON Schema of a type as the next version of a subject and returns the version's id. A type that has not
// changed keeps its version.
func Push[T any](ctx context.Context, client *schemaregistry.Client, subject string, options ...schemaregistry.RegisterOption) (string, error) {
	schema, err := Schema[T]()
	if err != nil {
		return "", err
	}
	return client.RegisterSchema(ctx, subject, schema, options...)
}
