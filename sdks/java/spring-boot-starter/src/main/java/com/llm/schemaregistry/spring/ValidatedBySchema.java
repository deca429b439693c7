package com.llm.schemaregistry.spring;

import jakarta.validation.Constraint;
import jakarta.validation.Payload;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * The value is valid under a registered schema, which is read once and kept as the client keeps schemas. Null is valid; add
 * {@code @NotNull} where it is not.
 *
 * <p>If the registry cannot be reached and nothing is cached, validation fails with the client's exception: nothing unchecked passes.
 */
@Documented
@Constraint(validatedBy = SchemaConstraintValidator.class)
@Target({ElementType.PARAMETER, ElementType.FIELD, ElementType.METHOD, ElementType.TYPE, ElementType.TYPE_USE, ElementType.RECORD_COMPONENT})
@Retention(RetentionPolicy.RUNTIME)
public @interface ValidatedBySchema {
  /** The subject. */
  String value();

  /** A number, a semantic version, a range, an alias or latest. */
  String version() default "latest";

  String message() default "is not valid under the schema";

  Class<?>[] groups() default {};

  Class<? extends Payload>[] payload() default {};
}
