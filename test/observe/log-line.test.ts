import { afterEach, describe, expect, it, vi } from "vitest";
import { errorFields, logLine, MAX_LOGGED_ERROR_CHARACTERS, MAX_LOGGED_FRAMES } from "../../observe/log-line.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

describe("logLine", () => {
  it("writes one line of JSON, level and message first, to the stream of its level", () => {
    const written: string[] = [];
    for (const stream of ["log", "warn", "error"] as const) {
      vi.spyOn(console, stream).mockImplementation((line: string) => written.push(`${stream} ${line}`));
    }

    logLine("info", "Request", { tenant: "default", seq: undefined });
    logLine("warn", "Request");
    logLine("error", "Two\nlines", { request_id: null });

    expect(written).toEqual([
      'log {"level":"info","message":"Request","tenant":"default"}',
      'warn {"level":"warn","message":"Request"}',
      'error {"level":"error","message":"Two\\nlines","request_id":null}',
    ]);
  });
});

describe("errorFields", () => {
  it("contains the error and its location", () => {
    const { error, stack } = errorFields(new TypeError("no such thing"));

    expect(error).toBe("TypeError: no such thing");
    expect(stack).toMatch(/^at /);
    expect(stack?.split("\n").length).toBeLessThanOrEqual(MAX_LOGGED_FRAMES);
  });

  it("keeps a message up to the limit, and truncates a longer one, also in the stack", () => {
    const ofLength = (length: number) => errorFields(new Error("x".repeat(length - "Error: ".length)));

    expect(ofLength(MAX_LOGGED_ERROR_CHARACTERS).error).toHaveLength(MAX_LOGGED_ERROR_CHARACTERS);
    expect(ofLength(MAX_LOGGED_ERROR_CHARACTERS + 1).error).toHaveLength(MAX_LOGGED_ERROR_CHARACTERS + 1);
    expect(ofLength(MAX_LOGGED_ERROR_CHARACTERS + 1).error.endsWith("…")).toBe(true);
    expect(ofLength(100_000).stack).not.toContain("xxxx");
  });

  it("never quotes the parameters of a statement", () => {
    const failed = Object.assign(
      new Error("Failed query: insert …\nparams: SECRET TEXT", { cause: new Error("23505") }),
      {
        query: "insert …",
        params: ["SECRET TEXT"],
      },
    );
    const bare = Object.assign(new Error("Failed query: SECRET TEXT"), { query: "SECRET TEXT" });

    expect(JSON.stringify([errorFields(failed), errorFields(bare)])).not.toContain("SECRET");
    expect(errorFields(failed).error).toBe("Error: 23505");
  });

  it.each([
    ["a word", "a word"],
    [undefined, "undefined"],
    [{ a: 1 }, "[object Object]"],
  ])("contains for %j %j", (thrown, said) => {
    expect(errorFields(thrown)).toEqual({ error: said });
  });
});
