/** The Java client of the LLM schema registry. */
module com.llm.schemaregistry {
  requires transitive java.net.http;
  requires com.fasterxml.jackson.databind;
  requires com.networknt.schema;

  exports com.llm.schemaregistry;
  exports com.llm.schemaregistry.errors;
  exports com.llm.schemaregistry.model;
}
