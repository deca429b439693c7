package com.llm.schemaregistry.spring;

import com.llm.schemaregistry.BlockingSchemaRegistry;
import com.llm.schemaregistry.SchemaRegistry;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;

/** A client for the registry at {@code llm.schema-registry.url}, closed with the application. */
@AutoConfiguration
@EnableConfigurationProperties(SchemaRegistryProperties.class)
public class SchemaRegistryAutoConfiguration {
  /** Skipped if the application declares its own client. */
  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  @ConditionalOnProperty("llm.schema-registry.url")
  SchemaRegistry schemaRegistry(SchemaRegistryProperties properties) {
    return properties.options().timeout(properties.timeout()).build();
  }

  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnSingleCandidate(SchemaRegistry.class)
  BlockingSchemaRegistry blockingSchemaRegistry(SchemaRegistry registry) {
    return registry.blocking();
  }
}
