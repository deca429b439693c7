package structtags_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	schemaregistry "github.com/llm/schema-registry-go"
	"github.com/llm/schema-registry-go/structtags"
)

type item struct {
	Name  string `json:"name" jsonschema:"minLength=1"`
	Count int    `json:"count,omitempty"`
}

type order struct {
	ID    string `json:"id"`
	Items []item `json:"items,omitempty"`
}

type orderWithTotal struct {
	order
	Total float64 `json:"total"`
}

func TestSchemaFollowsTheTags(t *testing.T) {
	schema, err := structtags.Schema[order]()
	if err != nil {
		t.Fatal(err)
	}
	var read struct {
		ID   string `json:"$id"`
		Defs map[string]struct {
			Required   []string                   `json:"required"`
			Properties map[string]json.RawMessage `json:"properties"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal(schema.Content.(json.RawMessage), &read); err != nil {
		t.Fatal(err)
	}
	if read.ID != "" || fmt.Sprint(read.Defs["order"].Required) != "[id]" || len(read.Defs["item"].Properties) != 2 {
		t.Errorf("%s", schema.Content)
	}
}

func TestPushKeepsTheVersionOfAnUnchangedType(t *testing.T) {
	address := os.Getenv("REGISTRY_URL")
	if address == "" {
		t.Skip("REGISTRY_URL names no started registry")
	}
	client, ctx := schemaregistry.NewClient(address), context.Background()
	defer client.Close()
	subject := fmt.Sprintf("go-structs-%d", time.Now().UnixNano())

	first, err := structtags.Push[order](ctx, client, subject)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := structtags.Push[order](ctx, client, subject); err != nil || again != first {
		t.Errorf("an unchanged type gave %s, %v, expected %s", again, err, first)
	}
	if valid, err := client.Validate(ctx, order{ID: "1", Items: []item{{Name: ""}}}, first); err != nil || valid {
		t.Errorf("an empty name gave %v, %v", valid, err)
	}
	_, err = structtags.Push[orderWithTotal](ctx, client, subject)
	if !errors.Is(err, schemaregistry.ErrIncompatible) {
		t.Errorf("a new required member gave %v", err)
	}
}
