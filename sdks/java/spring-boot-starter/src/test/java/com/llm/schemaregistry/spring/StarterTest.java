package com.llm.schemaregistry.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.llm.schemaregistry.BlockingSchemaRegistry;
import com.llm.schemaregistry.JsonSchema;
import com.llm.schemaregistry.SchemaRegistry;
import com.llm.schemaregistry.errors.ConnectionLostException;
import jakarta.validation.ConstraintViolation;
import jakarta.validation.Validator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Method;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfEnvironmentVariable;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

class StarterTest {
  /** Nothing listens there. */
  private static final String NOWHERE = "llm.schema-registry.url=http://127.0.0.1:1";

  private final ApplicationContextRunner application =
      new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(SchemaRegistryAutoConfiguration.class, SchemaRegistryHealthAutoConfiguration.class));

  @Test
  void configuresNothingWithoutAnAddress() {
    application.run(
        context -> assertThat(context).hasNotFailed().doesNotHaveBean(SchemaRegistry.class).doesNotHaveBean(BlockingSchemaRegistry.class).doesNotHaveBean("schemaRegistryHealthIndicator"));
  }

  @Test
  void addsWhatIsMissingToAClientOfTheApplication() {
    try (ServerSocket silent = new ServerSocket(0); SchemaRegistry own = new SchemaRegistry("http://127.0.0.1:" + silent.getLocalPort())) {
      application
          .withBean("own", SchemaRegistry.class, () -> own)
          .run(
              context -> {
                assertThat(context).hasSingleBean(BlockingSchemaRegistry.class);
                assertThat(healthOf(context.getBean("schemaRegistryHealthIndicator"))).contains("DOWN").contains("deadline_exceeded");
              });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void choosesNoneOfSeveralClients() {
    try (SchemaRegistry one = new SchemaRegistry("http://127.0.0.1:1"); SchemaRegistry two = new SchemaRegistry("http://127.0.0.1:2")) {
      application
          .withBean("one", SchemaRegistry.class, () -> one)
          .withBean("two", SchemaRegistry.class, () -> two)
          .run(context -> assertThat(context).hasNotFailed().doesNotHaveBean(BlockingSchemaRegistry.class).doesNotHaveBean("schemaRegistryHealthIndicator"));
    }
  }

  @Test
  void configuresAClientUnlessThereIsOne() {
    application
        .withPropertyValues(NOWHERE, "llm.schema-registry.api-key=llmsr_default_k1_s", "llm.schema-registry.context=a", "llm.schema-registry.timeout=5s")
        .run(context -> assertThat(context).hasSingleBean(SchemaRegistry.class).hasSingleBean(BlockingSchemaRegistry.class));
    try (SchemaRegistry own = new SchemaRegistry("http://127.0.0.1:2")) {
      application
          .withPropertyValues(NOWHERE)
          .withBean("own", SchemaRegistry.class, () -> own)
          .run(context -> assertThat(context.getBean(SchemaRegistry.class)).isSameAs(own));
    }
  }

  @Test
  void refusesSettingsThatCannotBeUsed() {
    application.withPropertyValues("llm.schema-registry.url=localhost").run(context -> assertThat(context).hasFailed());
  }

  @Test
  void reportsARegistryThatIsAwayAndLeavesTheBreakerClosed() {
    application
        .withPropertyValues(NOWHERE)
        .run(
            context -> {
              for (int i = 0; i < 10; i++) {
                assertThat(healthOf(context.getBean("schemaRegistryHealthIndicator"))).contains("DOWN").contains("connection_lost");
              }
              assertThat(context.getBean(SchemaRegistry.class).cacheStats()).containsEntry("breaker", "closed");
            });
  }

  @Test
  @EnabledIfEnvironmentVariable(named = "REGISTRY_URL", matches = ".+")
  void answersRequestsThatTheSchemaRefusesWith400() throws Exception {
    String url = System.getenv("REGISTRY_URL");
    try (SchemaRegistry registry = new SchemaRegistry(url)) {
      JsonSchema schema = JsonSchema.of("{\"type\": \"object\", \"properties\": {\"id\": {\"type\": \"string\", \"pattern\": \"^[a-z]{1,9}$\"}}, \"required\": [\"id\"]}");
      registry.blocking().registerSchema("spring-orders", schema);
    }
    try (ConfigurableApplicationContext context =
        new SpringApplicationBuilder(Orders.class).run("--server.port=0", "--llm.schema-registry.url=" + url, "--spring.main.banner-mode=off")) {
      assertThat(healthOf(context.getBean("schemaRegistryHealthIndicator"))).contains("UP");
      String port = context.getEnvironment().getProperty("local.server.port");
      assertThat(post(port, "{\"id\": \"a\"}")).isEqualTo(200);
      assertThat(post(port, "{\"id\": \"${1}\"}")).isEqualTo(400);
      assertThat(post(port, "{}")).isEqualTo(400);

      Validator validator = context.getBean(Validator.class);
      assertThat(validator.validate(new Envelope(Map.of("id", "a")))).isEmpty();
      assertThat(validator.validate(new Envelope(null))).isEmpty();
      assertThat(validator.validate(new Envelope(Map.of("id", "${1}")))).singleElement().satisfies(violation -> assertThat(messageOf(violation)).startsWith("/id: "));
    }
  }

  @Test
  void passesNothingUncheckedWhileTheRegistryIsAway() {
    try (ConfigurableApplicationContext context =
        new SpringApplicationBuilder(Orders.class).run("--server.port=0", "--" + NOWHERE, "--llm.schema-registry.timeout=1s", "--spring.main.banner-mode=off")) {
      Validator validator = context.getBean(Validator.class);
      assertThatThrownBy(() -> validator.validate(new Envelope(Map.of("id", "a")))).hasCauseInstanceOf(ConnectionLostException.class);
    }
  }

  private static String messageOf(ConstraintViolation<?> violation) {
    return violation.getMessage();
  }

  /** The indicator's class depends on Spring Boot's version. */
  private static String healthOf(Object indicator) {
    try {
      for (Method method : indicator.getClass().getMethods()) {
        if (method.getName().equals("health") && method.getParameterCount() == 0) {
          method.setAccessible(true);
          return String.valueOf(method.invoke(indicator));
        }
      }
      throw new AssertionError(indicator + " has no health()");
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private static int post(String port, String body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/orders"))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
  }

  record Envelope(@ValidatedBySchema("spring-orders") Map<String, Object> order) {}

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @RestController
  static class Orders {
    @PostMapping("/orders")
    Map<String, Object> create(@RequestBody @ValidatedBySchema("spring-orders") Map<String, Object> order) {
      return order;
    }
  }
}
