package com.llm.schemaregistry.spring;

import com.llm.schemaregistry.ClientOptions;
import com.llm.schemaregistry.SchemaRegistry;
import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the client.
 *
 * @param url the registry's address; without it no client is made
 * @param apiKey the key that is sent with every request
 * @param context the context of bare subject names
 * @param timeout for a whole call: attempts, waits and bodies
 * @param app your program's name, for the registry's logs
 */
@ConfigurationProperties("llm.schema-registry")
public record SchemaRegistryProperties(String url, String apiKey, String context, @DefaultValue("30s") Duration timeout, @DefaultValue("") String app) {
  ClientOptions options() {
    ClientOptions options = SchemaRegistry.builder(url).app(app);
    if (apiKey != null) {
      options.apiKey(apiKey);
    }
    if (context != null) {
      options.context(context);
    }
    return options;
  }
}
