package validation_test

import (
	"encoding/json"
	"strings"
	"testing"

	schemaregistry "github.com/llm/schema-registry-go"
	"github.com/llm/schema-registry-go/validation"
)

func prepare(t *testing.T, schema string) schemaregistry.PreparedSchema {
	t.Helper()
	prepared, err := validation.JSONSchema{}.Prepare(contentOf(schema))
	if err != nil {
		t.Fatal(err)
	}
	return prepared
}

func contentOf(schema string) schemaregistry.Content {
	return schemaregistry.Content{Format: "json-schema", Dialect: "2020-12", Content: json.RawMessage(schema)}
}

func TestValidatesAndNamesThePlace(t *testing.T) {
	schema := `{"type": "object", "properties": {"a/b": {"type": "array", "items": {"$ref": "#/$defs/age.json"}}}, "$defs": {"age.json": {"type": "integer", "minimum": 1}}}`
	prepared := prepare(t, schema)

	if result, ok := prepared.Validate(map[string]any{"a/b": []int{1}}); !ok || !result.Valid {
		t.Errorf("valid data gave %+v, %v", result, ok)
	}
	result, ok := prepared.Validate(map[string]any{"a/b": []int{1, 0}})
	if !ok || result.Valid || len(result.Errors) != 1 || result.Errors[0].Pointer != "/a~1b/1" || result.Errors[0].Keyword != "minimum" {
		t.Errorf("invalid data gave %+v, %v", result, ok)
	}
}

func TestReadsASchemaThatWasRegisteredAsText(t *testing.T) {
	if result, ok := prepare(t, `"{\"type\": \"string\"}"`).Validate("x"); !ok || !result.Valid {
		t.Errorf("gave %+v, %v", result, ok)
	}
}

func TestLeavesToTheRegistryWhatEnginesJudgeDifferently(t *testing.T) {
	for _, schema := range []string{
		`{"format": "email"}`,
		`{"pattern": "^\\d+$"}`,
		`{"patternProperties": {"(?<a>x)": {}}}`,
		`{"multipleOf": 0.1}`,
		`{"maximum": 9007199254740992}`,
		`{"$dynamicRef": "#a"}`,
		`{"anyOf": [{"contentMediaType": "application/json"}]}`,
	} {
		if prepare(t, schema) != nil {
			t.Errorf("%s is decided here", schema)
		}
	}
	for _, content := range []schemaregistry.Content{
		{Format: "avro", Content: json.RawMessage(`"string"`)},
		{Format: "json-schema", Dialect: "2030-01", Content: json.RawMessage(`{}`)},
	} {
		if prepared, err := (validation.JSONSchema{}).Prepare(content); prepared != nil || err != nil {
			t.Errorf("%+v is decided here: %v", content, err)
		}
	}
}

func TestLeavesToTheRegistryWhatCannotBeRead(t *testing.T) {
	for _, schema := range []string{`{"$ref": "https://example.test/unknown.json"}`, `{`, `{"type": "nothing"}`} {
		if prepared, err := (validation.JSONSchema{}).Prepare(contentOf(schema)); prepared != nil || err == nil {
			t.Errorf("%s was prepared", schema)
		}
	}
}

func TestLeavesToTheRegistryDataThatEnginesReadDifferently(t *testing.T) {
	prepared := prepare(t, `{}`)
	deep := strings.Repeat("[", 202) + strings.Repeat("]", 202)
	for _, data := range []any{json.RawMessage("9007199254740992"), map[string]any{"a": json.RawMessage("1e400")}, json.RawMessage(deep), make(chan int)} {
		if _, ok := prepared.Validate(data); ok {
			t.Errorf("%v is decided here", data)
		}
	}
}
