/** One life per kind of artefact, in one started registry, and all of them again after a backup and a restore. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runBackupCommand } from "../../scripts/backup.ts";
import { runRestore } from "../../scripts/restore.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";
import { FOLLOWS_WITHIN_MS, search, subjectsOf } from "./searching.ts";

type Life = {
  kind: string;
  subject: string;
  first: object;
  /** What users of the first can use as well. */
  compatible: object;
  compatibleVersion: string;
  breaking: object;
  /** The difference that refuses it, and a datum of the first version that shows why. */
  difference: string;
  witness: unknown;
  /** What the plan of the breaking version asks of users, in its event and its check. */
  action: string;
  /** A word of the text. */
  word: string;
};

const object = (properties: object, required: string[] = []) => ({ type: "object", properties, required });
const STRING = { type: "string" };
const INTEGER = { type: "integer" };

const PROMPT = {
  syntax: "mustache",
  text: "Translate {{paragraph}}",
  variables: object({ paragraph: STRING }, ["paragraph"]),
};
const TOOL = {
  name: "book_flight",
  description: "Books a flight.",
  inputSchema: object({ origin: STRING }, ["origin"]),
};
const SIGNATURE = {
  dialect: "triton",
  inputs: { waveform: { tensor: { dtype: "float32", shape: [-1, 16000] } } },
  outputs: { transcript: { schema: STRING } },
};
const COLLECTION = {
  embedding: { model: "small-embedder", dimensions: 768, distance: "cosine" },
  chunk: object({ chapter: STRING }),
  store: { kind: "qdrant", name: "handbook" },
};
const DATASET = { row: object({ review: STRING }, ["review"]), classes: { stars: ["bad", "good"] } };
const EVALUATION = { task: "summaries", shots: 0, metrics: [{ name: "faithfulness", lower_is_better: false }] };

const LIVES: readonly Life[] = [
  {
    kind: "prompt",
    subject: "life.prompt",
    first: PROMPT,
    compatible: {
      ...PROMPT,
      text: "Translate {{paragraph}} into {{language}}",
      variables: object({ paragraph: STRING, language: { type: "string", default: "French" } }, ["paragraph"]),
    },
    compatibleVersion: "1.1.0",
    breaking: { ...PROMPT, text: "Translate {{passage}}", variables: object({ passage: STRING }, ["passage"]) },
    difference: "REQUIRED_ATTRIBUTE_ADDED",
    witness: { variables: { paragraph: expect.any(String) } },
    action: "change_caller",
    word: "translate",
  },
  {
    kind: "tool",
    subject: "life.tool",
    first: TOOL,
    compatible: { ...TOOL, inputSchema: object({ origin: STRING, cabin: STRING }, ["origin"]) },
    compatibleVersion: "1.1.0",
    breaking: { ...TOOL, inputSchema: object({ origin: INTEGER }, ["origin"]) },
    difference: "TYPE_CHANGED",
    witness: { name: "book_flight", arguments: { origin: expect.any(String) } },
    action: "change_caller",
    word: "book_flight",
  },
  {
    kind: "model-signature",
    subject: "life.signature",
    first: SIGNATURE,
    compatible: { ...SIGNATURE, inputs: { waveform: { tensor: { dtype: "float32", shape: [-1, -1] } } } },
    compatibleVersion: "1.1.0",
    breaking: { ...SIGNATURE, outputs: { transcript: { schema: object({ words: STRING }) } } },
    difference: "TYPE_CHANGED",
    witness: { outputs: { transcript: {} } },
    action: "update_guided_decoding",
    word: "waveform",
  },
  {
    kind: "collection",
    subject: "life.collection",
    first: COLLECTION,
    compatible: { ...COLLECTION, chunk: object({ chapter: STRING, page: INTEGER }) },
    compatibleVersion: "1.1.0",
    breaking: { ...COLLECTION, embedding: { ...COLLECTION.embedding, model: "other-embedder" } },
    difference: "EMBEDDING_MODEL_CHANGED",
    witness: { query: expect.objectContaining({ model: "small-embedder" }) },
    action: "re-embed",
    word: "handbook",
  },
  {
    kind: "dataset",
    subject: "life.dataset",
    first: DATASET,
    compatible: { ...DATASET, classes: { stars: ["bad", "good", "great"] } },
    compatibleVersion: "1.1.0",
    breaking: { ...DATASET, classes: { stars: ["good", "bad"] } },
    difference: "CLASS_LABELS_REORDERED",
    witness: { stars: 0 },
    action: "relabel",
    word: "review",
  },
  {
    kind: "evaluation",
    subject: "life.evaluation",
    first: EVALUATION,
    compatible: { ...EVALUATION, metrics: [...EVALUATION.metrics, { name: "length", lower_is_better: true }] },
    compatibleVersion: "1.1.0",
    breaking: { ...EVALUATION, shots: 5 },
    difference: "SHOTS_CHANGED",
    witness: {
      result_before: expect.objectContaining({ shots: 0 }),
      result_after: expect.objectContaining({ shots: 5 }),
    },
    action: "rerun_results",
    word: "faithfulness",
  },
];

const folder = mkdtempSync(join(tmpdir(), "registry-lives-"));
const states = [temporaryState(), temporaryState()] as const;
let source: RegistryProcess;

beforeAll(async () => {
  source = spawnRegistry({ port: await freePort(), stateDir: states[0].stateDir });
  await source.ready();
}, 120_000);

afterAll(async () => {
  await source?.stop();
  for (const state of states) state.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(LIVES)("a subject of format $kind", (life) => {
  const { kind, subject } = life;
  const alias = `/subjects/${subject}/aliases/production`;
  const registered = (content: object) => ask("POST", "/schemas", { subject, format: kind, content });
  const check = (content: object) => ask("POST", "/compatibility/check", { subject, format: kind, content });

  it("evolves, refuses what breaks its users with a witness, and admits it by an exception", async () => {
    const first = await registered(life.first);
    const compatible = await registered(life.compatible);
    const refused = await registered(life.breaking);
    const checked = await check(life.breaking);
    const except = await ask("POST", "/exceptions", {
      subject,
      name: "agreed",
      owner: "ana",
      reason: "Every user has been told.",
      expires_at: "2999-01-01T00:00:00Z",
    });
    const admitted = await registered(life.breaking);

    expect(first).toMatchObject({ status: 201, body: { version: "1.0.0" } });
    expect(compatible).toMatchObject({ status: 201, body: { version: life.compatibleVersion } });
    expect(refused).toMatchObject({ status: 409, body: { code: "incompatible_schema" } });
    const verdict = { compatible: false, differences: expect.arrayContaining([breaks(life)]) };
    expect(refused.body).toMatchObject({ verdict });
    const plan = { actions: expect.arrayContaining([expect.objectContaining({ action: life.action })]) };
    expect(checked.body).toMatchObject({ compatible: false, plan });
    expect(except.status).toBe(201);
    expect(admitted).toMatchObject({ status: 201, body: { version: "2.0.0", version_number: 3 } });
  });

  it("moves an alias through a gate once there is evidence", async () => {
    const gate = { name: "quality", expression: 'evidence.exists(e, e.metric == "quality" && e.score >= 0.9)' };
    await ask("PUT", alias, { version: 1, gates: [gate] });

    const refused = await ask("PUT", alias, { version: 2 });
    await ask("POST", `/subjects/${subject}/versions/2/evidence`, evidence(0.95));
    const moved = await ask("PUT", alias, { version: 2, reason: "The evaluation is green." });
    const named = await ask("GET", `/subjects/${subject}/versions/production`);

    expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining('"quality"') } });
    expect(moved.status).toBe(200);
    expect(named.body).toMatchObject({ version_number: 2 });
  });

  it("sends its followers the plan and the alias's new target", async () => {
    const events = (await allEvents()).filter((event) => event.subject === subject);

    const registrations = events.filter(({ type }) => type.endsWith("schema.registered"));
    const moves = events.filter(({ type }) => type.endsWith("alias.moved"));
    expect(registrations).toHaveLength(3);
    expect(registrations.at(-1)!.data.plan).toMatchObject({
      actions: expect.arrayContaining([expect.objectContaining({ action: life.action })]),
    });
    expect(moves.map(({ data }) => data.alias)).toMatchObject([
      { name: "production", from: null, to: 1 },
      { name: "production", from: 1, to: 2 },
    ]);
  });

  it("is found by a word of its text", async () => {
    const isFound = async () => {
      const page = await search(source.url, { q: life.word }).catch(() => null);
      return page !== null && subjectsOf(page).includes(subject);
    };

    expect(await eventually(isFound, FOLLOWS_WITHIN_MS)).toBe(true);
  });
});

describe("subjects of every artefact format after a backup and a restore", () => {
  it("have the same versions, aliases, evidence, rules and plans", async () => {
    const out = join(folder, "backup");
    const before = await wholeLives();
    const backup = await printed(runBackupCommand, "--url", source.url, "--out", out);
    const port = Number(new URL(source.url).port);
    await source.stop();

    const target = spawnRegistry({ port, stateDir: states[1].stateDir });
    source = target;
    await target.ready();
    const restored = await printed(runRestore, "--from", out, "--url", target.url);

    expect(backup.code, backup.output).toBe(0);
    expect(restored, restored.output).toMatchObject({ code: 0, output: expect.stringContaining("Proven") });
    expect(await wholeLives()).toEqual(before);
    const gated = await ask("PUT", `/subjects/${LIVES[0]!.subject}/aliases/production`, { version: 3 });
    expect(gated.status).toBe(409);
  });
});

/** The difference, with a witness that was confirmed to break. */
function breaks({ difference, witness }: Life): unknown {
  return expect.objectContaining({
    kind: difference,
    severity: "breaking",
    witness: expect.objectContaining({ status: "confirmed", datum: witness }),
  });
}

function evidence(score: number): object {
  return {
    evaluation_id: "nightly",
    evaluation_results: [
      {
        evaluation_name: "lives",
        metric_config: { metric_id: "quality", lower_is_better: false },
        score_details: { score },
      },
    ],
  };
}

type Event = { type: string; subject?: string; data: { plan?: unknown; alias?: unknown } };

async function allEvents(): Promise<Event[]> {
  const events: Event[] = [];
  for (let after = 0; ; ) {
    const { body } = await ask("GET", `/events?after=${after}&limit=500`);
    const page = body as { items: Event[]; next_after: number };
    if (page.items.length === 0) return events;
    events.push(...page.items);
    after = page.next_after;
  }
}

/** What users of the artefacts can read of them; nothing that belongs to one request. */
async function wholeLives(): Promise<unknown> {
  const read = async (path: string) => (await ask("GET", path)).body;
  const plans = (await allEvents()).map(({ type, subject, data }) => ({ type, subject, plan: data.plan }));
  const lives = [];
  for (const { subject } of LIVES) {
    const of = `/subjects/${subject}`;
    lives.push({
      versions: await read(`${of}/versions`),
      content: await read(`${of}/versions/production`),
      aliases: await read(`${of}/aliases`),
      moves: await read(`${of}/aliases/production/moves`),
      evidence: await read(`${of}/versions/2/evidence`),
      rules: await read(`${of}/rules`),
      diff: await read(`${of}/diff?from=1&to=3`),
    });
  }
  return { plans, lives };
}

async function ask(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${source.url}/api/v1${path}`, {
    method,
    headers: { "Content-Type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

async function printed(
  script: (args: readonly string[], print: (text: string) => void) => Promise<number>,
  ...args: string[]
): Promise<{ code: number; output: string }> {
  let output = "";
  const code = await script(args, (text) => {
    output += text;
  });
  return { code, output };
}
