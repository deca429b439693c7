module github.com/llm/schema-registry-go

go 1.19
