package com.llm.schemaregistry.internal;

import java.net.http.HttpHeaders;

/** The registry's answer and the number of attempts. */
public final class Answer {
  public final int status;
  public final HttpHeaders headers;
  public final String text;
  final Token token;
  public final int attempts;

  Answer(int status, HttpHeaders headers, String text, Token token, int attempts) {
    this.status = status;
    this.headers = headers;
    this.text = text;
    this.token = token;
    this.attempts = attempts;
  }

  String header(String name) {
    return headers.firstValue(name).orElse(null);
  }
}
