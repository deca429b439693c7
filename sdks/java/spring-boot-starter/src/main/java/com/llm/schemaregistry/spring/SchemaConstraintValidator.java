package com.llm.schemaregistry.spring;

import com.llm.schemaregistry.BlockingSchemaRegistry;
import com.llm.schemaregistry.model.ValidationError;
import com.llm.schemaregistry.model.ValidationResult;
import jakarta.validation.ConstraintValidator;
import jakarta.validation.ConstraintValidatorContext;

/** Decides {@link ValidatedBySchema}. Spring makes it, with the application's client. */
public class SchemaConstraintValidator implements ConstraintValidator<ValidatedBySchema, Object> {
  private static final int MAX_REPORTED_ERRORS = 20;

  private final BlockingSchemaRegistry registry;
  private String subject;
  private String version;

  SchemaConstraintValidator(BlockingSchemaRegistry registry) {
    this.registry = registry;
  }

  @Override
  public void initialize(ValidatedBySchema constraint) {
    subject = constraint.value();
    version = constraint.version();
  }

  @Override
  public boolean isValid(Object value, ConstraintValidatorContext context) {
    if (value == null) {
      return true;
    }
    ValidationResult result = registry.explainValidation(value, registry.getVersion(subject, version).id());
    if (!result.valid()) {
      context.disableDefaultConstraintViolation();
      result.errors().stream().limit(MAX_REPORTED_ERRORS).forEach(error -> report(error, context));
    }
    return result.valid();
  }

  private static void report(ValidationError error, ConstraintValidatorContext context) {
    String place = error.pointer().isEmpty() ? "" : error.pointer() + ": ";
    // A message is a template: braces and dollars of data must not be read as expressions.
    String text = (place + error.message()).replaceAll("([\\\\{}$])", "\\\\$1");
    context.buildConstraintViolationWithTemplate(text).addConstraintViolation();
  }
}
