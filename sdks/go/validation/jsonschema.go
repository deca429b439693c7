// Package validation validates JSON Schema in the client's process.
//
// What engines judge differently is left to the registry: formats, patterns beyond a plain subset, fractional multiples, numbers that a
// double does not hold, content keywords.
package validation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"

	schemaregistry "github.com/llm/schema-registry-go"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// JSONSchema prepares JSON Schemas: schemaregistry.WithValidator(validation.JSONSchema{}).
type JSONSchema struct{}

var drafts = map[string]*jsonschema.Draft{
	"draft-04": jsonschema.Draft4,
	"draft-06": jsonschema.Draft6,
	"draft-07": jsonschema.Draft7,
	"2019-09":  jsonschema.Draft2019,
	"2020-12":  jsonschema.Draft2020,
}

// rootURL is where the schema lies; no registered schema has this address.
const rootURL = "urn:llm-schema-registry:root"

// Prepare returns nil for what is left to the registry.
func (JSONSchema) Prepare(content schemaregistry.Content) (schemaregistry.PreparedSchema, error) {
	draft := drafts[content.Dialect]
	if content.Format != "json-schema" || draft == nil {
		return nil, nil
	}
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText(content.Content)))
	if err != nil {
		return nil, err
	}
	if !isDecidedHere(schema) {
		return nil, nil
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(draft)
	// Nothing is fetched: a reference that leads out of the schema is left to the registry.
	compiler.UseLoader(jsonschema.SchemeURLLoader{})
	if err := compiler.AddResource(rootURL, schema); err != nil {
		return nil, err
	}
	compiled, err := compiler.Compile(rootURL)
	if err != nil {
		return nil, err
	}
	return prepared{compiled}, nil
}

// schemaText is a schema's text, also of one that was registered as a JSON string.
func schemaText(content json.RawMessage) []byte {
	var text string
	if json.Unmarshal(content, &text) == nil {
		return []byte(text)
	}
	return content
}

type prepared struct{ schema *jsonschema.Schema }

// Validate says whether data is valid; ok is false where the registry should be asked.
func (p prepared) Validate(data any) (result schemaregistry.ValidationResult, ok bool) {
	text, err := json.Marshal(data)
	if err != nil {
		return result, false
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil || !isPlain(value, 0) {
		return result, false
	}
	err = p.schema.Validate(value)
	var invalid *jsonschema.ValidationError
	switch {
	case err == nil:
		return schemaregistry.ValidationResult{Valid: true}, true
	case errors.As(err, &invalid):
		return schemaregistry.ValidationResult{Errors: places(invalid, nil)}, true
	}
	return result, false
}

const maxErrors = 100

var printer = message.NewPrinter(language.English)

// places lists the innermost causes, which name the place that is wrong.
func places(invalid *jsonschema.ValidationError, found []schemaregistry.ValidationError) []schemaregistry.ValidationError {
	if len(invalid.Causes) == 0 && len(found) < maxErrors {
		keyword := ""
		if path := invalid.ErrorKind.KeywordPath(); len(path) > 0 {
			keyword = path[0]
		}
		return append(found, schemaregistry.ValidationError{
			Pointer: pointer(invalid.InstanceLocation),
			Message: invalid.ErrorKind.LocalizedString(printer),
			Keyword: keyword,
		})
	}
	for _, cause := range invalid.Causes {
		found = places(cause, found)
	}
	return found
}

func pointer(path []string) string {
	var text strings.Builder
	for _, part := range path {
		fmt.Fprintf(&text, "/%s", strings.NewReplacer("~", "~0", "/", "~1").Replace(part))
	}
	return text.String()
}

// plainPattern matches patterns that every regular expression engine reads alike.
var plainPattern = regexp.MustCompile("^\\^?(?:[A-Za-z0-9 _@:;,/#%&=<>~`!'\"-]|\\[[A-Za-z0-9_ -]+\\]|\\\\[.\\-/]|[*+?]|\\{[0-9]+(?:,[0-9]*)?\\})*\\$?$")

var leftToRegistry = []string{"format", "contentEncoding", "contentMediaType", "$vocabulary", "$recursiveRef", "$dynamicRef"}

// isDecidedHere says whether no part of a schema is judged differently by another engine. Values below const and enum count as parts,
// which errs on the safe side.
func isDecidedHere(part any) bool {
	switch part := part.(type) {
	case map[string]any:
		for _, keyword := range leftToRegistry {
			if _, has := part[keyword]; has {
				return false
			}
		}
		if pattern, ok := part["pattern"].(string); ok && !plainPattern.MatchString(pattern) {
			return false
		}
		if named, ok := part["patternProperties"].(map[string]any); ok {
			for name := range named {
				if !plainPattern.MatchString(name) {
					return false
				}
			}
		}
		if multiple, ok := part["multipleOf"].(json.Number); ok && strings.ContainsAny(multiple.String(), ".eE") {
			return false
		}
		for _, value := range part {
			if !isDecidedHere(value) {
				return false
			}
		}
	case []any:
		for _, item := range part {
			if !isDecidedHere(item) {
				return false
			}
		}
	case json.Number:
		return isSafe(part)
	}
	return true
}

const (
	maxDepth          = 200
	largestSafeNumber = 1<<53 - 1
)

// isPlain says whether data is of a depth and with numbers that every engine reads alike.
func isPlain(data any, depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch data := data.(type) {
	case map[string]any:
		for _, value := range data {
			if !isPlain(value, depth+1) {
				return false
			}
		}
	case []any:
		for _, item := range data {
			if !isPlain(item, depth+1) {
				return false
			}
		}
	case json.Number:
		return isSafe(data)
	}
	return true
}

func isSafe(number json.Number) bool {
	value, err := number.Float64()
	return err == nil && math.Abs(value) <= largestSafeNumber
}
