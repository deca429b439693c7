package com.llm.schemaregistry.errors;

/** An option or an argument that no call could be made with. */
public final class ConfigurationException extends RegistryException {
  private static final long serialVersionUID = 1L;

  public ConfigurationException(String message) {
    super("configuration_error", message, 0, null);
  }
}
