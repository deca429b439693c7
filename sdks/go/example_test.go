package schemaregistry_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	schemaregistry "github.com/llm/schema-registry-go"
)

func Example() {
	ctx := context.Background()
	client := schemaregistry.NewClient("http://localhost:8080")
	defer client.Close()

	id, err := client.RegisterSchema(ctx, "user-profile", schemaregistry.JSONSchema(map[string]any{
		"type":       "object",
		"properties": map[string]any{"age": map[string]any{"type": "integer"}},
	}))
	var refused *schemaregistry.IncompatibleError
	if errors.As(err, &refused) {
		log.Fatalf("breaks readers: %s", refused.Verdict.Differences[0].Message)
	} else if err != nil {
		log.Fatal(err)
	}
	ok, err := client.Validate(ctx, map[string]any{"age": 36}, id)
	fmt.Println(ok, err)

	subjects := client.ListSubjects(ctx, schemaregistry.WithPrefix("user-"))
	for subjects.Next() {
		fmt.Println(subjects.Value().Name)
	}
	if err := subjects.Err(); err != nil {
		log.Fatal(err)
	}
}
