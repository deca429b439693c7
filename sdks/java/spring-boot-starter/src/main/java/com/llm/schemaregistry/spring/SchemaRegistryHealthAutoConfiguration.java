package com.llm.schemaregistry.spring;

import com.llm.schemaregistry.SchemaRegistry;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** The health of the registry. It is apart from the client because nested configurations are read before the beans around them. */
@AutoConfiguration(after = SchemaRegistryAutoConfiguration.class)
@ConditionalOnSingleCandidate(SchemaRegistry.class)
public class SchemaRegistryHealthAutoConfiguration {
  @Bean(destroyMethod = "close")
  RegistryHealth registryHealth(SchemaRegistryProperties properties, SchemaRegistry registry) {
    return properties.url() == null ? RegistryHealth.through(registry) : RegistryHealth.at(properties.options());
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
