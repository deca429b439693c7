import { describe, expect, it } from "vitest";
import { ERRORS } from "../../../contract/errors.ts";
import openapi from "../../../contract/openapi.json";
import { docsPage } from "../../../workers/http/docs-page.ts";
import { PROBLEM_HELP } from "../../../workers/http/problem-help.ts";
import { compileBodyCheck } from "../../../workers/http/request-schema.ts";
import { avroRecord, plainRegistry } from "./native-calls.ts";

const html = docsPage().body as string;

const articles = [...html.matchAll(/<article id="([a-z_]+)">(.*?)<\/article>/gs)].map(
  ([, id, text]) => [id!, unescaped(text!)] as const,
);

/** Operations whose example needs a file, a prior state, or a subject of another format. */
const NEEDS_MORE = new Set([
  "register_file",
  "open_proposal",
  "restore_segment",
  "check_rows",
  "compare_sketch",
  "read_events",
]);

describe("GET /docs", () => {
  it("shows a request and a response for every operation", () => {
    const ids = Object.values(openapi.paths).flatMap((item) =>
      Object.values(item as object).flatMap(({ operationId }) => (operationId ? [operationId as string] : [])),
    );

    const operations = articles.filter(([, text]) => /<pre>curl .*<pre>HTTP\/1\.1 [12]\d\d/s.test(text));

    expect(operations.map(([id]) => id).sort()).toEqual(ids.sort());
  });

  it("shows bodies that the contract accepts", () => {
    const bodies = articles.flatMap(([id, text]) => {
      const body = /-d '(.*?)'<\/pre>/s.exec(text)?.[1];
      return body === undefined ? [] : [[id, JSON.parse(body) as unknown] as const];
    });
    const schemaOf = new Map(
      Object.values(openapi.paths).flatMap((item) =>
        Object.values(item as object).flatMap(({ operationId, requestBody }) =>
          operationId ? [[operationId as string, requestBody?.content?.["application/json"]?.schema as object]] : [],
        ),
      ) as [string, object][],
    );

    const wrong = bodies.flatMap(([id, body]) => {
      const check = compileBodyCheck(schemaOf.get(id) as Record<string, unknown>, openapi.components.schemas);
      return check(body).map(({ pointer, message }) => `${id} ${pointer}: ${message}`);
    });

    expect(bodies.length).toBeGreaterThan(15);
    expect(wrong).toEqual([]);
  });

  it("shows requests that a registry does not refuse as malformed", async () => {
    const registry = plainRegistry();
    await registry.register("orders", avroRecord("id"));

    const refused = [];
    for (const [id, text] of articles) {
      const [, method = "GET", url] =
        /<pre>curl (?:-X (\w+) )?'http:\/\/localhost:8080\/api\/v1([^']*)'/.exec(text) ?? [];
      if (url === undefined || NEEDS_MORE.has(id)) continue;
      const body = /-d '(.*?)'<\/pre>/s.exec(text)?.[1];
      const answer = await registry.call(method, url, body === undefined ? {} : { body: JSON.parse(body) });
      if (answer.status === 400 || answer.status === 422) refused.push(`${id}: ${JSON.stringify(answer.body)}`);
    }

    expect(refused).toEqual([]);
  });

  it("explains every problem and its remedy", () => {
    const codes = [...new Set(Object.values(ERRORS).map(({ code }) => code))];

    expect(Object.keys(PROBLEM_HELP).sort()).toEqual(codes.sort());
    for (const code of codes) expect(html).toContain(`id="problem-${code}"`);
  });
});

describe("names that are difficult in URLs", () => {
  const subjects = ["a/b", "a/../b", "..a", "a%2Fb", "a?b#c", "ü 🎉", ":.ctx:a/b"];

  it.each(subjects)("reach every route of the subject %s", async (subject) => {
    const registry = plainRegistry();
    const named = await registry.register(subject, "string");
    const path = `/subjects/${encodeURIComponent(subject)}`;

    const reads = await Promise.all(
      ["", "/versions", "/versions/1", "/diff?from=1&to=1", "/compatibility", "/rules"].map((rest) =>
        registry.get(path + rest),
      ),
    );
    const written = await registry.call("PUT", `${path}/compatibility`, { body: { level: "NONE" } });
    const file = await registry.call("POST", `${path}/versions`, {
      raw: '"long"',
      headers: { "Content-Type": "application/vnd.apache.avro+json" },
    });
    const gone = await registry.call("DELETE", path);

    expect(reads.map(({ status }) => status)).toEqual(reads.map(() => 200));
    expect([written.status, file.status, gone.status]).toEqual([200, 201, 200]);
    expect(file.body).toMatchObject({ subject: named.subject, context: named.context, version_number: 2 });
  });
});

function unescaped(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}
