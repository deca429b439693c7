package com.llm.schemaregistry.spring;

import com.llm.schemaregistry.BlockingSchemaRegistry;
import com.llm.schemaregistry.ClientOptions;
import com.llm.schemaregistry.SchemaRegistry;
import java.time.Duration;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** A client for the registry at {@code llm.schema-registry.url}, closed with the application. */
@AutoConfiguration
@ConditionalOnProperty("llm.schema-registry.url")
@EnableConfigurationProperties(SchemaRegistryProperties.class)
public class SchemaRegistryAutoConfiguration {
  /** For the health check: longer than any answer that is still good news. */
  private static final Duration HEALTH_TIMEOUT = Duration.ofSeconds(2);

  /** Whoever declares a client of their own gets no second one. */
  @Bean(destroyMethod = "close")
  @ConditionalOnMissingBean
  SchemaRegistry schemaRegistry(SchemaRegistryProperties properties) {
    return options(properties).timeout(properties.timeout()).build();
  }

  @Bean
  @ConditionalOnMissingBean
  BlockingSchemaRegistry blockingSchemaRegistry(SchemaRegistry registry) {
    return registry.blocking();
  }

  /** Asks with a client of its own, so that failed checks never open the breaker of the application's calls. */
  @Bean(destroyMethod = "close")
  RegistryHealth registryHealth(SchemaRegistryProperties properties) {
    return new RegistryHealth(options(properties).timeout(HEALTH_TIMEOUT).maxAttempts(1).breaker(Integer.MAX_VALUE, HEALTH_TIMEOUT).build());
  }

  private static ClientOptions options(SchemaRegistryProperties properties) {
    ClientOptions options = SchemaRegistry.builder(properties.url()).app(properties.app());
    if (properties.apiKey() != null) {
      options.apiKey(properties.apiKey());
    }
    if (properties.context() != null) {
      options.context(properties.context());
    }
    return options;
  }

  /** Spring Boot 3. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(name = "org.springframework.boot.actuate.health.HealthIndicator")
  static class ActuatorHealth {
    @Bean
    @ConditionalOnMissingBean(name = "schemaRegistryHealthIndicator")
    org.springframework.boot.actuate.health.HealthIndicator schemaRegistryHealthIndicator(RegistryHealth registry) {
      return () ->
          registry
              .failure()
              .map(code -> org.springframework.boot.actuate.health.Health.down().withDetail("code", code).build())
              .orElseGet(() -> org.springframework.boot.actuate.health.Health.up().build());
    }
  }

  /** Spring Boot 4, which has its health indicators in another package. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(name = {"org.springframework.boot.health.contributor.HealthIndicator", "org.springframework.boot.health.registry.HealthContributorRegistry"})
  static class ContributedHealth {
    @Bean
    @ConditionalOnMissingBean(name = "schemaRegistryHealthIndicator")
    org.springframework.boot.health.contributor.HealthIndicator schemaRegistryHealthIndicator(RegistryHealth registry) {
      return () ->
          registry
              .failure()
              .map(code -> org.springframework.boot.health.contributor.Health.down().withDetail("code", code).build())
              .orElseGet(() -> org.springframework.boot.health.contributor.Health.up().build());
    }
  }
}
