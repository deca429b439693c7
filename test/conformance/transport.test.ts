import { describe, expect, it } from "vitest";
import { error, MEDIA_TYPE, record, unique, useRegistry } from "./registry.ts";

const registry = useRegistry();

describe("content types", () => {
  it.each([
    [undefined, MEDIA_TYPE],
    ["*/*", MEDIA_TYPE],
    ["application/*", MEDIA_TYPE],
    ["*", MEDIA_TYPE],
    ["text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", MEDIA_TYPE],
    [MEDIA_TYPE, MEDIA_TYPE],
    ["application/vnd.schemaregistry+json", "application/vnd.schemaregistry+json"],
    ["application/json", "application/json"],
    ["application/json, text/plain, */*", "application/json"],
    [`${MEDIA_TYPE}, application/vnd.schemaregistry+json, application/json`, MEDIA_TYPE],
    [`${MEDIA_TYPE};q=0.1, application/json;q=0.9`, "application/json"],
  ])("answers Accept %s with %s", async (accept, expected) => {
    const { headers } = await registry.get("/subjects", accept === undefined ? {} : { Accept: accept });

    expect(headers.get("Content-Type")).toBe(expected);
  });

  it("gives errors the negotiated type too", async () => {
    const { headers, status } = await registry.get("/subjects/none/versions", { Accept: "application/json" });

    expect(status).toBe(404);
    expect(headers.get("Content-Type")).toBe("application/json");
  });

  it("answers 406 for an unsupported Accept", async () => {
    expect(await registry.get("/subjects", { Accept: "text/html" })).toMatchObject({ status: 406 });
  });

  it.each([MEDIA_TYPE, "application/vnd.schemaregistry+json", "application/json", "application/octet-stream"])(
    "reads a body of type %s",
    async (type) => {
      const path = `/subjects/${unique("type")}/versions`;

      expect(await registry.post(path, { schema: record("a") }, { "Content-Type": type })).toMatchObject({
        status: 200,
      });
    },
  );

  it("reads a type with a charset", async () => {
    const path = `/subjects/${unique("charset")}/versions`;
    const type = "application/json; charset=utf-8";

    expect(await registry.post(path, { schema: record("a") }, { "Content-Type": type })).toMatchObject({ status: 200 });
  });

  it.each([
    ["utf-16le", [0xff, 0xfe]],
    ["utf-16le", []],
    ["utf-16be", [0xfe, 0xff]],
    ["utf-16be", []],
    ["utf-8", [0xef, 0xbb, 0xbf]],
  ])("reads a body in %s with the byte order mark %j", async (encoding, mark) => {
    const subject = unique("encoding");
    const text = JSON.stringify({ schema: '{"type":"record","name":"R","doc":"grün ☂","fields":[]}' });
    const bytes =
      encoding === "utf-8"
        ? new TextEncoder().encode(text)
        : Uint8Array.from(
            [...text].flatMap((character) => {
              const unit = character.charCodeAt(0);
              return encoding === "utf-16be" ? [unit >> 8, unit & 0xff] : [unit & 0xff, unit >> 8];
            }),
          );

    const answer = await registry.send(`/subjects/${subject}/versions`, Uint8Array.from([...mark, ...bytes]));

    expect(answer).toMatchObject({ status: 200, body: { schema: expect.stringContaining("grün ☂") } });
  });

  it("refuses undecodable bytes with 400", async () => {
    const answer = await registry.send("/subjects/none/versions", Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d]));

    expect(answer).toMatchObject(error(400, "The body is neither valid UTF-8 nor valid UTF-16."));
  });

  it("sets the Confluent server's headers on responses and errors", async () => {
    const paths = ["/subjects", "/subjects/none/versions", "/config", "/nothing"];

    for (const { headers } of await Promise.all(paths.map((path) => registry.get(path)))) {
      expect(headers.get("Cache-Control")).toBe("no-cache, no-store, must-revalidate");
      expect(headers.get("X-XSS-Protection")).toBe("1; mode=block");
      expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    }
  });

  it("sets them also on cacheable reads by id, from any source", async () => {
    const subject = unique("headers");
    const { id } = await registry.register(subject, record("a"));

    for (let read = 0; read < 2; read += 1) {
      const { headers } = await registry.get(`/schemas/ids/${id}`);
      expect(headers.get("X-XSS-Protection")).toBe("1; mode=block");
      expect(headers.get("Cache-Control")).toMatch(/^private, max-age=\d+$/);
    }
  });

  it("refuses another type with 415", async () => {
    const answer = await registry.post("/subjects/none", { schema: record("a") }, { "Content-Type": "text/plain" });

    expect(answer).toMatchObject(error(415, "HTTP 415 Unsupported Media Type"));
  });

  it("ignores unknown fields", async () => {
    const answer = await registry.post(`/subjects/${unique("unknown")}/versions`, {
      schema: record("a"),
      more: { x: 1 },
    });

    expect(answer.status).toBe(200);
  });

  it("ignores headers of Confluent's own deployments", async () => {
    const answer = await registry.get("/subjects", {
      "X-Forward": "true",
      "Confluent-Accept-Unknown-Properties": "true",
      "Confluent-Client-Version": "1",
      "target-sr-cluster": "lsrc-1",
      "Confluent-Identity-Pool-Id": "pool",
    });

    expect(answer.status).toBe(200);
  });
});

describe("paths", () => {
  it("tolerates a trailing slash", async () => {
    const subject = unique("slash");
    await registry.register(subject, record("a"));

    expect((await registry.get(`/subjects/${subject}/versions/`)).body).toEqual([1]);
    expect((await registry.get("/config/")).status).toBe(200);
  });

  it("accepts colons both literally and encoded", async () => {
    const context = `.${unique("colon")}`;
    await registry.register(`:${context}:s`, record("a"));

    expect((await registry.get(`/subjects/:${context}:s/versions`)).body).toEqual([1]);
    expect((await registry.get(`/subjects/%3A${context}%3As/versions`)).body).toEqual([1]);
  });

  it("accepts %2F for a slash in a subject", async () => {
    const subject = `${unique("a")}/b`;
    await registry.register(subject, record("a"));

    const { body } = await registry.get(`/subjects/${encodeURIComponent(subject)}/versions/1`);

    expect(body).toMatchObject({ subject, version: 1 });
  });
});

describe("methods", () => {
  it("answers HEAD like GET, without a body", async () => {
    const { headers, status, text } = await registry.call("HEAD", "/subjects");

    expect({ status, text }).toEqual({ status: 200, text: "" });
    expect(headers.get("Content-Type")).toBe(MEDIA_TYPE);
    expect((await registry.call("HEAD", "/subjects/none/versions")).status).toBe(404);
  });

  it("answers OPTIONS with the methods of the path", async () => {
    const { headers, status } = await registry.call("OPTIONS", "/config/s");

    expect(status).toBe(200);
    expect(headers.get("Allow")).toBe("GET, PUT, DELETE, HEAD, OPTIONS");
    expect((await registry.call("OPTIONS", "/nothing")).status).toBe(404);
  });
});

describe("query parameters", () => {
  it("ignores unknown ones", async () => {
    expect((await registry.get("/subjects?unknown=1&more")).status).toBe(200);
  });

  it.each(["TRUE", "True", "true"])("treats %s as true, and anything else as false", async (value) => {
    const subject = unique("flag");
    await registry.register(subject, record("a"));
    await registry.delete(`/subjects/${subject}`);

    expect((await registry.get(`/subjects?subjectPrefix=${subject}&deleted=${value}`)).body).toEqual([subject]);
    expect((await registry.get(`/subjects?subjectPrefix=${subject}&deleted=1`)).body).toEqual([]);
  });
});

describe("error bodies", () => {
  it("answers an unknown path with 404", async () => {
    expect(await registry.get("/nothing/here")).toMatchObject(error(404, "HTTP 404 Not Found"));
  });

  it.each(["abc", "1.5", "99999999999", "-99999999999"])(
    "answers the id %s, which is not a 32-bit integer, with 404",
    async (id) => {
      expect(await registry.get(`/schemas/ids/${id}`)).toMatchObject(error(404, "HTTP 404 Not Found"));
    },
  );

  it("answers a wrong method with 405", async () => {
    const answer = await registry.put("/subjects", {});

    expect(answer).toMatchObject(error(405, "HTTP 405 Method Not Allowed"));
  });

  it.each(["{", "[1", "nonsense", '{"schema": "a" "b"}'])("answers %s, which is not JSON, with 400", async (body) => {
    expect(await registry.post("/subjects/none/versions", body)).toMatchObject(error(400, /./));
  });

  it.each([
    ["an array", "[]"],
    ["a string", '"text"'],
    ["an object as schema", '{"schema":{}}'],
    ["a list as schema", '{"schema":[]}'],
    ["a text as id", '{"schema":"1","id":"one"}'],
    ["an id beyond 32 bits", '{"schema":"1","id":99999999999}'],
    ["an object as version", '{"schema":"1","version":{}}'],
    ["a text as references", '{"schema":"1","references":"x"}'],
    ["a list as metadata", '{"schema":"1","metadata":[]}'],
    ["an unknown mode of a rule", '{"schema":"1","ruleSet":{"domainRules":[{"name":"a","type":"CEL","mode":"NOW"}]}}'],
  ])("answers %s, a wrong type, with 400", async (_what, body) => {
    expect(await registry.post("/subjects/none/versions", body)).toMatchObject(error(400, /./));
  });

  it.each(["null", ""])("answers the missing body %j with 422", async (body) => {
    expect(await registry.post("/subjects/none/versions", body)).toMatchObject(error(422, /./));
  });

  it("includes the request id in the response", async () => {
    const { headers } = await registry.get("/subjects", { "X-Request-ID": "my-request" });

    expect(headers.get("X-Request-ID")).toBe("my-request");
  });
});

describe("the server", () => {
  it("answers the root with an empty object", async () => {
    expect((await registry.get("/")).body).toEqual({});
    expect((await registry.post("/", {})).body).toEqual({});
  });

  it("names its cluster", async () => {
    const { body } = await registry.get("/v1/metadata/id");

    expect(body).toEqual({
      scope: {
        path: [],
        clusters: { "kafka-cluster": expect.any(String), "schema-registry-cluster": "schema-registry" },
      },
      id: "",
    });
  });

  it("names its version and deployment", async () => {
    expect((await registry.get("/v1/metadata/version")).body).toEqual({
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      commitId: expect.any(String),
    });
    expect((await registry.get("/v1/metadata/deployment")).body).toEqual({ attributes: [] });
  });

  it("lists the schema types", async () => {
    expect((await registry.get("/schemas/types")).body).toEqual(["JSON", "PROTOBUF", "AVRO"]);
  });
});
