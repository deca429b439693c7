package com.llm.schemaregistry.internal;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * JSON Schema in this process. What engines judge differently is left to the registry: formats, patterns beyond a plain subset, fractional
 * multiples, numbers that a double does not hold, content keywords.
 */
public final class LocalValidator {
  private static final Map<String, SpecificationVersion> DIALECTS =
      Map.of(
          "draft-04", SpecificationVersion.DRAFT_4,
          "draft-06", SpecificationVersion.DRAFT_6,
          "draft-07", SpecificationVersion.DRAFT_7,
          "2019-09", SpecificationVersion.DRAFT_2019_09,
          "2020-12", SpecificationVersion.DRAFT_2020_12);

  private static final Set<String> LEFT_TO_REGISTRY = Set.of("format", "contentEncoding", "contentMediaType", "$vocabulary", "$recursiveRef", "$dynamicRef");

  /** Patterns that every regular expression engine reads alike. */
  private static final Pattern PLAIN =
      Pattern.compile("\\^?(?:[A-Za-z0-9 _@:;,/#%&=<>~`!'\"-]|\\[[A-Za-z0-9_ -]+\\]|\\\\[.\\-/]|[*+?]|\\{[0-9]+(?:,[0-9]*)?\\})*+\\$?");

  private static final double LARGEST_SAFE_NUMBER = 9_007_199_254_740_991d;
  private static final int MAX_DEPTH = 200;
  private static final int MAX_ERRORS = 100;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Schema schema;

  private LocalValidator(Schema schema) {
    this.schema = schema;
  }

  /** Null where the registry should be asked. The schema contains all that it refers to. */
  public static LocalValidator prepare(String dialect, String schema) {
    SpecificationVersion version = DIALECTS.get(dialect);
    if (version == null) {
      return null;
    }
    try {
      JsonNode root = MAPPER.readTree(schema);
      if (!isDecidedHere(root, 0)) {
        return null;
      }
      // Nothing is fetched: a reference that leads out of the schema is left to the registry.
      SchemaRegistry registry = SchemaRegistry.withDefaultDialect(version, builder -> builder.resourceLoaders(loaders -> loaders.values(List::clear)));
      return new LocalValidator(registry.getSchema(withWholeNumbers(root)));
    } catch (JsonProcessingException | RuntimeException e) {
      return null;
    }
  }

  /** The result's JSON, or null where the registry should be asked. */
  public String validate(JsonNode data) {
    if (!isPlain(data, 0)) {
      return null;
    }
    List<Error> errors;
    try {
      errors = schema.validate(withWholeNumbers(data));
    } catch (RuntimeException | StackOverflowError e) {
      return null;
    }
    ObjectNode result = MAPPER.createObjectNode().put("valid", errors.isEmpty()).put("engine", "local");
    ArrayNode places = result.putArray("errors");
    errors.stream()
        .limit(MAX_ERRORS)
        .forEach(error -> places.addObject().put("pointer", pointer(error)).put("message", error.getMessage()).put("keyword", error.getKeyword()));
    return result.toString();
  }

  private static String pointer(Error error) {
    StringBuilder pointer = new StringBuilder();
    for (int i = 0; i < error.getInstanceLocation().getNameCount(); i++) {
      pointer.append('/').append(String.valueOf(error.getInstanceLocation().getElement(i)).replace("~", "~0").replace("/", "~1"));
    }
    return pointer.toString();
  }

  /** Values below const and enum count as parts of the schema, which errs on the safe side. */
  private static boolean isDecidedHere(JsonNode part, int depth) {
    if (depth > MAX_DEPTH || (part.isNumber() && !isSafe(part))) {
      return false;
    }
    if (part.isObject()) {
      if (LEFT_TO_REGISTRY.stream().anyMatch(part::has)) {
        return false;
      }
      if (part.path("pattern").isTextual() && !PLAIN.matcher(part.path("pattern").asText()).matches()) {
        return false;
      }
      if (part.path("multipleOf").isFloatingPointNumber()) {
        return false;
      }
      for (Iterator<String> names = part.path("patternProperties").fieldNames(); names.hasNext(); ) {
        if (!PLAIN.matcher(names.next()).matches()) {
          return false;
        }
      }
    }
    for (JsonNode child : part) {
      if (!isDecidedHere(child, depth + 1)) {
        return false;
      }
    }
    return true;
  }

  /** Gives 2 and 2.0 one form: the validator compares numbers that are nested in arrays and objects by their Java types. */
  private static JsonNode withWholeNumbers(JsonNode node) {
    if (node.isNumber() && node.doubleValue() == Math.rint(node.doubleValue())) {
      return LongNode.valueOf((long) node.doubleValue());
    }
    if (node.isArray()) {
      ArrayNode items = MAPPER.createArrayNode();
      node.forEach(item -> items.add(withWholeNumbers(item)));
      return items;
    }
    if (node.isObject()) {
      ObjectNode members = MAPPER.createObjectNode();
      node.fields().forEachRemaining(member -> members.set(member.getKey(), withWholeNumbers(member.getValue())));
      return members;
    }
    return node;
  }

  private static boolean isPlain(JsonNode data, int depth) {
    if (depth > MAX_DEPTH || (data.isNumber() && !isSafe(data))) {
      return false;
    }
    for (JsonNode child : data) {
      if (!isPlain(child, depth + 1)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isSafe(JsonNode number) {
    return Math.abs(number.doubleValue()) <= LARGEST_SAFE_NUMBER;
  }
}
