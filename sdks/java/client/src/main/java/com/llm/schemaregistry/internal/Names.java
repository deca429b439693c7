package com.llm.schemaregistry.internal;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Subject names as the registry reads them: a bare name in a context, or the qualified form {@code :.ctx:subject}. */
public final class Names {
  private static final Pattern QUALIFIED = Pattern.compile(":(\\.[^:]*):(.*)", Pattern.DOTALL);

  private Names() {}

  /** The context, "." for the default one, and the bare name. */
  public static String[] split(String name, String defaultContext) {
    Matcher qualified = QUALIFIED.matcher(name);
    if (qualified.matches()) {
      return new String[] {qualified.group(1), qualified.group(2)};
    }
    String context = defaultContext == null ? "." : defaultContext;
    return new String[] {context.startsWith(".") ? context : "." + context, name};
  }

  public static String qualify(String context, String subject) {
    return context.equals(".") ? subject : ":" + context + ":" + subject;
  }

  public static String qualify(String[] name) {
    return qualify(name[0], name[1]);
  }

  /** One part of a path, percent-encoded by itself. */
  public static String encode(String part) {
    return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
  }
}
