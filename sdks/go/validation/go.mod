module github.com/llm/schema-registry-go/validation

go 1.21

require (
	github.com/llm/schema-registry-go v0.1.0
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.2
	golang.org/x/text v0.14.0
)

replace github.com/llm/schema-registry-go => ../
