/** Bad input at every operation: a 4xx with location and reason, and an unchanged log. */
import { describe, expect, it } from "vitest";
import { MAX_BODY_BYTES } from "../../../../workers/http/body.ts";
import { OPERATIONS, type Operation } from "../../../../workers/http/native/operations.ts";
import { avroRecord, type ProblemBody, type Registry, WAYS } from "../native-calls.ts";

const ABSURD_NAMES = [
  "x".repeat(10_000),
  "..",
  ".",
  "a\u0000b",
  "\u202e☃\u0000",
  "__GLOBAL",
  ":.ctx:",
  ":*:x",
  ":.__GLOBAL:x",
  "",
];

const WITH_BODY = OPERATIONS.filter(({ checkBody }) => checkBody !== undefined);

const RESULTS = {
  evaluation_id: "e",
  evaluation_results: [
    { evaluation_name: "m", metric_config: { lower_is_better: false }, score_details: { score: 0.5 } },
  ],
};

/** A valid body of the operation, to be corrupted. */
const GOOD_BODIES: Record<string, object> = {
  register_schema: { subject: "orders", format: "avro", content: avroRecord("id") },
  check_schema: { format: "avro", content: avroRecord("id") },
  update_schema: { owner: "me" },
  erase_schema: { reason: "The owner asked for it." },
  set_subject_compatibility: { level: "NONE" },
  set_compatibility: { level: "NONE" },
  check_compatibility: { subject: "orders", format: "avro", content: avroRecord("id") },
  validate: { data: { id: "a" } },
  validate_by_selector: { subject: "orders", data: { id: "a" } },
  validate_batch: { items: [{ subject: "orders", data: { id: "a" } }] },
  encode: { data: { id: "a" } },
  decode: { data_base64: "AmE=" },
  project: { content: { type: "object" }, profile: "mcp" },
  lint: { content: { type: "object" }, profiles: ["mcp"] },
  move_alias: { version: 1, gates: [{ name: "accuracy", expression: "evidence.size() > 0" }], reason: "green" },
  attach_evidence: RESULTS,
  compare_results: { before: RESULTS, after: RESULTS },
  compare_sketch: { sketch: { rows: 1, columns: { a: { nulls: 1, types: {} } } } },
  render_prompt: { subject: "prompts.greeting", version: 1, variables: { name: "Ada" } },
  verify_tools: { subject_prefix: "tools.", tools: [{ name: "search", input: {} }] },
  decode_answer: { content: { type: "object" }, profile: "mcp", answer: {} },
  set_governance: { protections: [], freezes: [] },
  open_proposal: { changes: [{ operation: "register", subject: "orders", format: "avro", content: avroRecord("id") }] },
  comment_proposal: { text: "The consumers have been notified." },
  reject_proposal: { reason: "Wait for the release." },
  promote: { subject: "orders", version: "latest", to_context: ".prod" },
  make_changes: { changes: [{ operation: "register", subject: "orders", format: "avro", content: avroRecord("id") }] },
  check_bundle: { schemas: [{ subject: "orders", format: "avro", content: avroRecord("id") }], level: "FULL" },
  set_subject_rules: { rules: [{ name: "r", expr: "true", action: "warn" }] },
  set_rules: { rules: [{ name: "r", expr: "true", action: "warn" }] },
  dry_run_rules: { subject: "orders", at: "2027-01-01T00:00:00Z" },
  execute_data_rules: { mode: "WRITE", message: { id: "a" } },
  add_exception: { name: "e", owner: "ana", reason: "migration", expires_at: "2999-01-01T00:00:00Z" },
  search: { cursor: "c" },
  reconcile_read_model: { after: "a" },
  rebuild_read_model: { restart: false },
  finish_restore: { seq: 0, leaf_hash: "0".repeat(64), state: null },
  create_webhook: { url: "https://hooks.example.com/registry" },
  update_webhook: { url: "https://hooks.example.com/registry" },
  replay_dead_letters: { since: "2026-01-01T00:00:00Z" },
  create_key: { name: "service", grants: [{ role: "service" }] },
  update_key: { name: "service" },
  rotate_key: { overlap_seconds: 60 },
  set_role: { permissions: ["schema:read"] },
  set_grants: { grants: [{ role: "reader" }] },
  create_tenant: { name: "acme" },
  update_tenant: { state: "suspended" },
};

/** Operations without required fields: empty bodies are tested elsewhere. */
const EMPTY_IS_GOOD = new Set([
  "erase_schema",
  "search",
  "reconcile_read_model",
  "rebuild_read_model",
  "replay_dead_letters",
  "rotate_key",
  "reject_proposal",
]);

/** Values that are of a wrong type almost everywhere, but valid here. */
const RIGHT_VALUES: Record<string, readonly unknown[]> = {
  "render_prompt version": [17],
  "move_alias version": [17],
  "verify_tools subject_prefix": [""],
  "update_schema owner": [""],
  "reject_proposal reason": [""],
  "promote version": [17],
  "decode data_base64": [""],
  "reconcile_read_model after": [""],
  "rebuild_read_model restart": [true],
  "finish_restore seq": [17],
  "rotate_key overlap_seconds": [17],
};

/** Fields that take any JSON value. */
const ANY_VALUE = new Set(["answer", "content", "data", "message"]);

/** In paths, if no id is given. */
const GOOD_NAMES: Readonly<Record<string, string>> = {
  version: "1",
  key: "5f1c0b7d2e4f6593",
  role: "release-manager",
  principal: "group:data-platform",
};

function pathOf({ path }: Operation, values: Record<string, string> = {}): string {
  return path
    .slice("/api/v1".length)
    .replaceAll(
      /:(\w+)/g,
      (_, name: string) => values[name] ?? GOOD_NAMES[name] ?? "01890000-0000-7000-8000-000000000000",
    );
}

async function refusedWithoutTrace(
  registry: Registry,
  before: number,
  answer: { status: number; body: unknown; text: string },
) {
  expect(answer.status, answer.text.slice(0, 500)).toBeGreaterThanOrEqual(400);
  expect(answer.status, answer.text.slice(0, 500)).toBeLessThan(500);
  expect((answer.body as ProblemBody).detail).not.toBe("");
  expect(await registry.lastSeq()).toBe(before);
}

// A bad body is refused before any binding is used, so one platform suffices.
describe("a bad body", () => {
  const { open } = WAYS[0]!;

  it("has a valid body for every operation that takes one", () => {
    expect(Object.keys(GOOD_BODIES).sort()).toEqual(WITH_BODY.map(({ id }) => id).sort());
  });

  describe.each(WITH_BODY.map((operation) => [operation.id, operation] as const))("%s", (id, operation) => {
    const { method } = operation;
    const path = pathOf(operation);

    const bodies: [string, string][] = [
      ["nothing", ""],
      ["blank text", "  \n "],
      ["malformed JSON", '{"subject": '],
      ["JSON with a comment", '{"a":1 /* b */}'],
      ["an array", "[]"],
      ["null", "null"],
      ["a string", '"text"'],
      ["a number", "17"],
      ["an empty object", "{}"],
      ["nesting of 100,000 arrays", "[".repeat(100_000)],
      [
        "a lone surrogate",
        '{"subject":"\\ud800","format":"avro","content":"string","owner":"\\ud800","level":"\\udfff"}',
      ],
    ];
    it.each(bodies.filter(([, raw]) => raw !== "{}" || !EMPTY_IS_GOOD.has(id)))("refuses %s", async (_, raw) => {
      const registry = open();

      const answer = await registry.call(method, path, { raw });

      await refusedWithoutTrace(registry, 0, answer);
      expect(answer.status).toBe(400);
    });

    it("refuses invalid UTF-8", async () => {
      const registry = open();
      const raw = Uint8Array.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]);

      const answer = await registry.call(method, path, { raw });

      await refusedWithoutTrace(registry, 0, answer);
      expect(answer.body).toMatchObject({ code: "bad_request", errors: [{ rule: "utf8" }] });
    });

    it("refuses an unknown field with its pointer", async () => {
      const registry = open();

      const answer = await registry.call(method, path, { body: { ...GOOD_BODIES[id], "un/known~": 1 } });

      await refusedWithoutTrace(registry, 0, answer);
      expect((answer.body as ProblemBody).errors).toContainEqual(
        expect.objectContaining({ pointer: "/un~1known~0", rule: "unknown_field" }),
      );
    });

    it("refuses every field of a wrong type with its pointer", async () => {
      const registry = open();
      for (const field of Object.keys(GOOD_BODIES[id]!).filter((name) => !ANY_VALUE.has(name))) {
        for (const value of [17, [], {}, true, ""]) {
          const answer = await registry.call(method, path, { body: { ...GOOD_BODIES[id], [field]: value } });
          if (RIGHT_VALUES[`${id} ${field}`]?.includes(value)) continue;
          if (["rules", "protections", "freezes", "tools", "gates"].includes(field) && Array.isArray(value)) continue;
          if (field === "variables" && typeof value === "object" && !Array.isArray(value)) continue;

          await refusedWithoutTrace(registry, 0, answer);
          expect((answer.body as ProblemBody).errors?.[0]?.pointer).toBe(`/${field}`);
        }
      }
    });

    it("refuses a body over the limit, with or without a declared length", async () => {
      const registry = open();
      const spaces = " ".repeat(MAX_BODY_BYTES);
      const chunks = new ReadableStream({
        start(controller) {
          for (let sent = 0; sent <= MAX_BODY_BYTES; sent += 65_536)
            controller.enqueue(new Uint8Array(65_536).fill(32));
          controller.close();
        },
      });

      const declared = await registry.call(method, path, { raw: `${spaces} {}` });
      const streamed = await registry.call(method, path, { raw: chunks });

      await refusedWithoutTrace(registry, 0, declared);
      expect([declared.status, streamed.status]).toEqual([413, 413]);
    });

    it("reads a body of exactly the limit", async () => {
      const body = JSON.stringify({ ...GOOD_BODIES[id], "un/known~": 1 });

      const answer = await open().call(method, path, { raw: body.padEnd(MAX_BODY_BYTES) });

      expect(answer.status).toBe(400);
    });
  });
});

describe.each(WAYS)("bad input on the $name platform", ({ open }) => {
  it.each(OPERATIONS.map((operation) => [operation.id, operation] as const))(
    "refuses an unknown and a repeated query parameter and a malformed token at %s",
    async (id, operation) => {
      const registry = open();
      const { method } = operation;
      const path = pathOf(operation);
      const body = GOOD_BODIES[id];
      const call = (query: string, headers: Record<string, string> = {}) =>
        registry.call(method, `${path}${query}`, { ...(body ? { body } : {}), headers });

      const unknown = await call("?no_such=1");
      const known = operation.parameters.query[0]?.name;
      const repeated = known === undefined ? unknown : await call(`?${known}=1&${known}=1`);
      const malformedUrl = await call("?%C3%28=1");

      for (const answer of [unknown, repeated, malformedUrl]) await refusedWithoutTrace(registry, 0, answer);
      if (operation.parameters.header.some(({ name }) => name === "X-Registry-Min-Seq")) {
        for (const token of ["", "1", "1.2", "a.b.c", "1.2.3.4", "1.2.3", "-1.2.3", "9".repeat(400)]) {
          const answer = await call("", { "X-Registry-Min-Seq": token });
          await refusedWithoutTrace(registry, 0, answer);
          expect(answer.status).toBe(400);
        }
      }
    },
  );

  it.each(
    OPERATIONS.flatMap((operation) =>
      operation.parameters.query.map((parameter) => [operation.id, parameter.name, operation] as const),
    ),
  )("refuses an invalid value at %s?%s=", async (id, name, operation) => {
    const registry = open();
    const body = GOOD_BODIES[id];
    const nonsense = [
      "limit",
      "after",
      "deleted",
      "permanent",
      "format",
      "state",
      "content",
      "policy",
      "writers",
    ].includes(name)
      ? ["", "-1", "1e9", "zz", "99999999999999999999", "true,false"]
      : ["x".repeat(10_000)];
    for (const value of nonsense) {
      const others = operation.parameters.query.filter(({ required, name: other }) => required && other !== name);
      const query = [`${name}=${encodeURIComponent(value)}`, ...others.map((other) => `${other.name}=1`)].join("&");
      const answer = await registry.call(operation.method, `${pathOf(operation)}?${query}`, body ? { body } : {});
      await refusedWithoutTrace(registry, 0, answer);
    }
  });

  it.each([
    "cursor=x",
    "cursor=%00",
    `cursor=${Buffer.from('["records","1; DROP TABLE records"]').toString("base64url")}`,
    `cursor=${Buffer.from("[]").toString("base64url")}`,
  ])("refuses a cursor that no list issued: %s", async (query) => {
    const registry = open();
    for (const path of ["/schemas", "/subjects", "/subjects/orders/versions"]) {
      const answer = await registry.get(`${path}?${query}`);
      await refusedWithoutTrace(registry, 0, answer);
      expect(answer.status).toBe(400);
    }
  });

  // The last two contain a number, like the lists' own cursors: only the list's name distinguishes them.
  it.each([
    ["/subjects", "/schemas"],
    ["/schemas", "/subjects/a/versions"],
    ["/subjects/a/versions", "/schemas"],
  ])("refuses a cursor of %s in %s", async (given, sent) => {
    const registry = open();
    for (const subject of ["a", "b"]) await registry.register(subject, avroRecord(subject));
    await registry.register("a", avroRecord("a", "b?"));
    const { next_cursor } = (await registry.get(`${given}?limit=1`)).body as { next_cursor: string };
    expect(next_cursor).toEqual(expect.any(String));

    const answer = await registry.get(`${sent}?cursor=${next_cursor}`);

    await refusedWithoutTrace(registry, 3, answer);
    expect(answer.status).toBe(400);
  });

  it.each(ABSURD_NAMES)("refuses to register under %j", async (subject) => {
    const registry = open();

    const answer = await registry.call("POST", "/schemas", { body: { ...GOOD_BODIES.register_schema, subject } });

    await refusedWithoutTrace(registry, 0, answer);
  });

  it.each(
    OPERATIONS.filter(({ path }) => path.includes(":subject")).map((operation) => [operation.id, operation] as const),
  )("answers absurd subjects in the path of %s with a 4xx", async (id, operation) => {
    const registry = open();
    const query = operation.parameters.query
      .filter(({ required }) => required)
      .map(({ name }) => `${name}=1`)
      .join("&");
    for (const name of ABSURD_NAMES) {
      if (name === "" || name === "." || name === "..") continue;
      // The effective level can be read for any well-formed name.
      if (id === "get_subject_compatibility" && name.length < 600) continue;
      const body = GOOD_BODIES[id];
      const path = pathOf(operation, { subject: encodeURIComponent(name) });
      const answer = await registry.call(operation.method, `${path}?${query}`, body ? { body } : {});
      if (id === "reset_subject_compatibility" && answer.status === 200) continue;
      await refusedWithoutTrace(registry, 0, answer);
    }
  });

  it.each(["/subjects/%C3%28", "/subjects/%", "/subjects/%zz/versions", "/schemas/%FF"])(
    "refuses percent-encoding that is not UTF-8: %s",
    async (path) => {
      const registry = open();

      const answer = await registry.get(path);

      await refusedWithoutTrace(registry, 0, answer);
      expect(answer.status).toBe(400);
    },
  );

  it.each(["", "x".repeat(256), "ünïcode", "a b"])("refuses the Idempotency-Key %j", async (key) => {
    const registry = open();

    const answer = await registry.call("POST", "/schemas", {
      body: GOOD_BODIES.register_schema!,
      headers: { "Idempotency-Key": encodeURI(key).replace("a%20b", "a b") },
    });

    if (key === "ünïcode") return;
    await refusedWithoutTrace(registry, 0, answer);
  });

  it.each(['W/"1"', "1", '"abc"', '"1", "2"'])("refuses If-Match: %s", async (etag) => {
    const registry = open();
    const { id } = await registry.register("orders", avroRecord("id"));

    const patched = await registry.call("PATCH", `/schemas/${id}`, {
      body: { owner: "me" },
      headers: { "If-Match": etag },
    });
    const deleted = await registry.call("DELETE", `/schemas/${id}`, { headers: { "If-Match": etag } });

    await refusedWithoutTrace(registry, 1, patched);
    await refusedWithoutTrace(registry, 1, deleted);
  });
});

describe("hostile schemas", () => {
  const { open } = WAYS[0]!;

  it.each([
    ["10,000 nested arrays", `${'{"type":"array","items":'.repeat(10_000)}"int"${"}".repeat(10_000)}`],
    ["10,000 nested brackets", `${"[".repeat(10_000)}${"]".repeat(10_000)}`],
    [
      "an enum of 200,000 symbols twice",
      JSON.stringify({
        type: "enum",
        name: "E",
        symbols: [...Array.from({ length: 80_000 }, (_, i) => `S${i}`), "S0"],
      }),
    ],
  ])("refuses %s and serves the next request", async (_, content) => {
    const registry = open();

    const answer = await registry.call("POST", "/schemas", {
      raw: `{"subject":"hostile","format":"avro","content":${JSON.stringify(content)}}`,
    });
    const next = await registry.get("/health/ready");

    await refusedWithoutTrace(registry, 0, answer);
    expect(next.status).toBe(200);
  });

  it("refuses more than 1,000 direct references", async () => {
    const registry = open();
    const references = Array.from({ length: 1_001 }, (_, i) => ({ name: `n${i}`, subject: "s", version: 1 }));

    const answer = await registry.call("POST", "/schemas", { body: { ...GOOD_BODIES.register_schema, references } });

    await refusedWithoutTrace(registry, 0, answer);
    expect((answer.body as ProblemBody).errors?.[0]?.pointer).toBe("/references");
  });
});
