package com.llm.schemaregistry.spring;

import java.time.Duration;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the client.
 *
 * @param url the registry's address; without it nothing is configured
 * @param apiKey the key that is sent with every request
 * @param context the context of bare subject names
 * @param timeout for a whole call: attempts, waits and bodies
 * @param app your program's name, for the registry's logs
 */
@ConfigurationProperties("llm.schema-registry")
public record SchemaRegistryProperties(String url, String apiKey, String context, @DefaultValue("30s") Duration timeout, @DefaultValue("") String app) {}
