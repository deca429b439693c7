#!/usr/bin/env node
/**
 * A scripted registry that the SDK vectors run against. It needs Node 18 and nothing else.
 *
 *   node contract/vectors/sdk/server.mjs            prints {"control": "http://127.0.0.1:PORT"} once it listens
 *   POST /_run    {"exchanges": […], …}             → {"run": N, "url": "http://127.0.0.1:PORT"}
 *   GET  /_run/N                                    → {"mismatches": […], "left": N, "requests": N}, and ends the run
 *
 * Every run listens on a port of its own, so that a connection can be cut before a request says which run it belongs to.
 * README.md says what an exchange may hold.
 */
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";

const HOST = "127.0.0.1";
const MAX_REQUEST_BYTES = 8 * 1024 * 1024;

const RECORD = {
  id: "0192-a",
  subject: "user-profile",
  context: ".",
  version: "1.0.0",
  version_number: 1,
  format: "json-schema",
  dialect: "2020-12",
  content: { type: "object" },
  references: [],
  guid: "8aeda0d2-b731-1a94-8887-14804b8af74e",
  confluent_id: 1,
  fingerprint: "sha256:6f66dc1137727ac0e6946ae6db7b5c8964a1f1f9a965dcc1fcfb709dd8917c9e",
  state: "active",
  description: null,
  tags: [],
  owner: null,
  metadata: {},
  role: null,
  created_at: "2026-11-30T14:00:07.563Z",
  created_by: "local",
  updated_at: "2026-11-30T14:00:07.563Z",
  seq: 1,
};
const CONTENT = {
  format: RECORD.format,
  dialect: RECORD.dialect,
  references: [],
  guid: RECORD.guid,
  fingerprint: RECORD.fingerprint,
};
const STATUS_OF_CODE = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  version_exists: 409,
  incompatible_schema: 409,
  precondition_failed: 412,
  payload_too_large: 413,
  invalid_schema: 422,
  too_complex: 422,
  rate_limited: 429,
  internal: 500,
  not_configured: 501,
  not_ready: 503,
  busy: 503,
  storage_full: 507,
};

const runs = new Map();

function answerBody(answer, requestId) {
  if (answer.record !== undefined) return ["application/json", JSON.stringify({ ...RECORD, ...answer.record })];
  if (answer.content !== undefined) return ["application/json", JSON.stringify({ ...CONTENT, content: answer.content, ...answer.content_fields })];
  if (answer.page !== undefined) {
    return ["application/json", JSON.stringify({ items: answer.page, ...(answer.next_cursor ? { next_cursor: answer.next_cursor } : {}) })];
  }
  if (answer.problem !== undefined) {
    const status = answer.status ?? STATUS_OF_CODE[answer.problem.code] ?? 400;
    const problem = { type: `/docs#problem-${answer.problem.code}`, title: answer.problem.code, status, detail: `Scripted ${answer.problem.code}.`, instance: requestId, ...answer.problem };
    return ["application/problem+json", JSON.stringify(problem)];
  }
  if (answer.json !== undefined) return ["application/json", JSON.stringify(answer.json)];
  if (answer.text !== undefined) return [answer.media_type ?? "text/plain", answer.text];
  return [undefined, ""];
}

/** Compares a value with what the vector expects: members it leaves out are not compared, "$name" binds at first sight. */
function compare(expected, actual, bindings, place, mismatches) {
  if (typeof expected === "string" && /^\$[a-z_]+$/.test(expected)) {
    if (actual === undefined || actual === null) mismatches.push(`${place} is missing`);
    else if (!bindings.has(expected)) bindings.set(expected, actual);
    else if (bindings.get(expected) !== actual) mismatches.push(`${place} is ${JSON.stringify(actual)}, and ${expected} was ${JSON.stringify(bindings.get(expected))}`);
    return;
  }
  if (expected !== null && typeof expected === "object" && !Array.isArray(expected)) {
    if (actual === null || typeof actual !== "object") {
      mismatches.push(`${place} is ${JSON.stringify(actual)}, expected an object`);
      return;
    }
    for (const [name, value] of Object.entries(expected)) compare(value, actual[name], bindings, `${place}/${name}`, mismatches);
    return;
  }
  if (JSON.stringify(expected) !== JSON.stringify(actual)) {
    mismatches.push(`${place} is ${JSON.stringify(actual)}, expected ${JSON.stringify(expected)}`);
  }
}

function compareRequest(expect = {}, request, run) {
  const url = new URL(request.url, "http://registry");
  const mismatches = [];
  const place = `request ${run.requests}`;
  if (expect.method !== undefined) compare(expect.method, request.method, run.bindings, `${place} method`, mismatches);
  if (expect.path !== undefined) compare(expect.path, url.pathname, run.bindings, `${place} path`, mismatches);
  if (expect.query !== undefined) compare(expect.query, Object.fromEntries(url.searchParams), run.bindings, `${place} query`, mismatches);
  for (const [name, value] of Object.entries(expect.headers ?? {})) {
    const actual = request.headers[name.toLowerCase()];
    if (value !== null) compare(value, actual, run.bindings, `${place} header ${name}`, mismatches);
    else if (actual !== undefined) mismatches.push(`${place} header ${name} is ${JSON.stringify(actual)} and should be absent`);
  }
  if (expect.json !== undefined) {
    let body;
    try {
      body = JSON.parse(request.body);
    } catch {
      mismatches.push(`${place} body is not JSON: ${request.body.slice(0, 200)}`);
      return mismatches;
    }
    compare(expect.json, body, run.bindings, `${place} body`, mismatches);
  }
  return mismatches;
}

function nextExchange(run, request) {
  const open = run.exchanges.filter((exchange) => !exchange.used);
  if (!run.unordered) return open[0];
  return open.find((exchange) => compareRequest(exchange.expect, request, { ...run, bindings: new Map(run.bindings) }).length === 0) ?? open[0];
}

async function readBody(request) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_REQUEST_BYTES) throw new Error("The request is larger than 8 MiB.");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Cuts the first of two requests that a library makes of one GET, uncounted. */
function isRepeatedByTransport(run, exchange, method) {
  const { close } = exchange.answer ?? {};
  if (!run.transportRepeats || method !== "GET" || close === undefined || close === "in_body" || exchange.cut) return false;
  exchange.cut = true;
  return true;
}

async function answer(run, request, response) {
  request.body = await readBody(request);
  run.requests += 1;
  const exchange = nextExchange(run, request);
  if (exchange === undefined) {
    run.mismatches.push(`request ${run.requests} ${request.method} ${request.url} is one more than the vector has`);
    response.writeHead(400, { "Content-Type": "text/plain", Connection: "close" }).end("not scripted");
    return;
  }
  const scripted = exchange.answer ?? {};
  if (isRepeatedByTransport(run, exchange, request.method)) {
    run.requests -= 1;
    request.socket.destroy();
    return;
  }
  exchange.used = true;
  run.mismatches.push(...compareRequest(exchange.expect, request, run));
  if (scripted.delay_ms) await pause(scripted.delay_ms);
  if (scripted.hang) return;
  if (scripted.close === "on_accept" || scripted.close === "before_headers") {
    request.socket.destroy();
    return;
  }
  const requestId = request.headers["x-request-id"] ?? randomUUID();
  const [mediaType, body] = answerBody(scripted, requestId);
  const status = scripted.status ?? (scripted.problem ? (STATUS_OF_CODE[scripted.problem.code] ?? 400) : 200);
  const headers = { "X-Request-ID": requestId, ...(mediaType ? { "Content-Type": mediaType } : {}), ...scripted.headers };
  // Some HTTP libraries repeat a request by themselves when a connection that was kept is cut; on a new one none does.
  if (run.exchanges.some((other) => !other.used && other.answer?.close !== undefined)) headers.Connection = "close";
  if (scripted.close === "in_body") {
    response.writeHead(status, { ...headers, "Content-Length": Buffer.byteLength(body) + 10 });
    response.write(body);
    setTimeout(() => request.socket.destroy(), 20);
    return;
  }
  const bodyless = status === 204 || status === 304;
  response.writeHead(status, { ...headers, ...(bodyless ? {} : { "Content-Length": Buffer.byteLength(body) }) });
  response.end(bodyless ? undefined : body);
}

async function startRun({ exchanges = [], unordered = false, transport_repeats = false }) {
  const run = { exchanges: exchanges.map((exchange) => ({ ...exchange, used: false })), unordered, transportRepeats: transport_repeats, bindings: new Map(), mismatches: [], requests: 0 };
  run.server = createServer((request, response) => {
    answer(run, request, response).catch((error) => {
      run.mismatches.push(String(error));
      request.socket.destroy();
    });
  });
  run.server.on("connection", (socket) => {
    const next = run.exchanges.find((exchange) => !exchange.used);
    // A library that repeats is cut once it has sent its request, which says whether it is one that it repeats.
    if (next?.answer?.close !== "on_accept" || run.transportRepeats) return;
    next.used = true;
    run.requests += 1;
    socket.destroy();
  });
  await new Promise((resolve) => run.server.listen(0, HOST, resolve));
  const number = runs.size + 1;
  runs.set(number, run);
  return { run: number, url: `http://${HOST}:${run.server.address().port}` };
}

function endRun(number) {
  const run = runs.get(number);
  if (run === undefined) return undefined;
  run.server.close();
  run.server.closeAllConnections();
  return { mismatches: run.mismatches, left: run.exchanges.filter((exchange) => !exchange.used).length, requests: run.requests };
}

const control = createServer(async (request, response) => {
  const reply = (status, value) => response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(value));
  try {
    if (request.method === "POST" && request.url === "/_run") {
      reply(200, await startRun(JSON.parse(await readBody(request))));
      return;
    }
    const number = /^\/_run\/(\d+)$/.exec(request.url ?? "")?.[1];
    const ended = request.method === "GET" && number !== undefined ? endRun(Number(number)) : undefined;
    if (ended === undefined) reply(404, { error: "POST /_run or GET /_run/N" });
    else reply(200, ended);
  } catch (error) {
    reply(400, { error: String(error) });
  }
});
control.listen(Number(process.env.PORT ?? 0), HOST, () => {
  process.stdout.write(`${JSON.stringify({ control: `http://${HOST}:${control.address().port}` })}\n`);
});
