package com.llm.schemaregistry.errors;

/** An invalid option or argument; no call was made. */
public final class ConfigurationException extends RegistryException {
  private static final long serialVersionUID = 1L;

  public ConfigurationException(String message) {
    super("configuration_error", message, 0, null);
  }
}
