import { describe, expect, it } from "vitest";
import { type ProblemBody, plainRegistry } from "../native-calls.ts";

const post = (body: unknown) => plainRegistry().call("POST", "/search", { body });

describe("/search without a database", () => {
  it.each([
    ["GET", () => plainRegistry().get("/search?q=user")],
    ["POST", () => post({ query: "user" })],
  ])("answers %s with not_configured, which clients do not retry", async (_method, ask) => {
    const { status, body, headers } = await ask();

    expect(status).toBe(501);
    expect(body as ProblemBody).toMatchObject({
      code: "not_configured",
      detail: expect.stringContaining("DATABASE_URL"),
    });
    expect(headers.get("Retry-After")).toBeNull();
  });

  it("also answers not_configured if a database is configured but does not respond", async () => {
    const registry = plainRegistry({
      vars: { DATABASE_URL: "postgres://a:b@127.0.0.1:1/c", DATABASE_PROXY: "127.0.0.1:1" },
    });

    const { status, body } = await registry.get("/search?q=user");

    expect(status).toBe(503);
    expect(body as ProblemBody).toMatchObject({
      code: "not_ready",
      detail: expect.stringContaining("currently unreachable"),
    });
  });
});

describe("invalid searches are refused in advance", () => {
  it.each([
    ["an unknown field", { query: "a", order: "asc" }, "/order"],
    ["an unknown filter", { query: "a", filters: { colour: "red" } }, "/filters/colour"],
    ["a format that is none", { filters: { format: "xml" } }, "/filters/format"],
    ["a limit of nothing", { query: "a", limit: 0 }, "/limit"],
    ["a limit above the bound", { query: "a", limit: 101 }, "/limit"],
    ["a limit that is half a number", { query: "a", limit: 1.5 }, "/limit"],
    ["a query that is not text", { query: 7 }, "/query"],
    ["a query that is too long", { query: "a".repeat(257) }, "/query"],
    ["a cursor that is none", { query: "a", cursor: "nonsense" }, "/cursor"],
    ["a query of signs alone", { query: "---" }, "/query"],
    ["versions that are neither", { filters: { versions: "newest" } }, "/filters/versions"],
  ])("%s, with the location", async (_what, body, pointer) => {
    const { status, body: problem } = await post(body);

    expect(status).toBe(400);
    expect((problem as ProblemBody).errors?.map((item) => item.pointer)).toContain(pointer);
  });

  it.each([
    "q=a&limit=101",
    "q=a&limit=x",
    "q=a&q=b",
    "query=a",
    "q=---",
    "q=a&cursor=x",
    "context=a:b",
    `q=${"a".repeat(257)}`,
  ])("?%s", async (query) => {
    expect((await plainRegistry().get(`/search?${query}`)).status).toBe(400);
  });

  it("accepts a limit and a query at the maximum", async () => {
    expect((await post({ query: "a".repeat(256), limit: 100 })).status).toBe(501);
  });
});
