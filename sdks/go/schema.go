package schemaregistry

import "encoding/json"

// Schema is a schema to register or to check, with the format that says how to read it.
type Schema struct {
	Format  string
	Content any
}

// JSONSchema is a JSON Schema: its text, or any value that encoding/json turns into one.
func JSONSchema(content any) Schema {
	return Schema{Format: "json-schema", Content: contentOf(content)}
}

// AvroSchema is an Avro schema: its text, or any value that encoding/json turns into one.
func AvroSchema(content any) Schema { return Schema{Format: "avro", Content: contentOf(content)} }

// ProtobufSchema is the text of a .proto file.
func ProtobufSchema(text string) Schema { return Schema{Format: "protobuf", Content: text} }

func contentOf(content any) any {
	if bytes, ok := content.([]byte); ok {
		return json.RawMessage(bytes)
	}
	return content
}
