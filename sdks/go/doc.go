// Package schemaregistry is the client of the LLM schema registry.
//
// A Client is safe for goroutines. It keeps what it reads, carries the registry's consistency token so that no read is older than its own
// last write, repeats what may be repeated, and stops asking a registry that does not answer.
package schemaregistry
