/** Compares a server's tools with the registered ones: a server may change what a model reads from one day to the next. */
import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { MAX_QUERY_ROWS } from "../../../registry/rpc.ts";
import { type Difference, rateImportance, sortByImportance } from "../../../schema/compatibility.ts";
import { listWithin } from "../../../schema/difference-list.ts";
import { judgeInSlices } from "../../../schema/facts.ts";
import type { SchemaProblem } from "../../../schema/format.ts";
import { type JsonNode, type JsonObject, writeJsonText } from "../../../schema/json-text.ts";
import type { Plan } from "../../../schema/plan.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import { fingerprintTool, type ToolFingerprint } from "../../../schema/tool/fingerprint.ts";
import { tool as toolFormat } from "../../../schema/tool/format.ts";
import type { ToolModel } from "../../../schema/tool/model.ts";
import type { Edge } from "../../edge.ts";
import { readShownTexts } from "../../read-path/texts.ts";
import { openTarget } from "../../validation/targets.ts";
import { workIsSpent } from "../turns.ts";

/** Registered tools under one prefix; a server with more needs several prefixes. */
const MAX_PINNED_TOOLS = 1_000;
/** Differences of all tools in one answer, as JSON. */
const MAX_VERIFIED_DIFFERENCE_BYTES = 512 * 1024;

export type VerifiedTool = {
  name: string;
  status: "unchanged" | "changed" | "unknown" | "missing" | "invalid";
  subject: string;
  version?: string | null;
  fingerprint?: string;
  pinnedFingerprint?: string;
  class?: Difference["severity"];
  differences?: readonly Difference[];
  differencesTotal?: number;
  plan?: Plan;
  renamedFrom?: string;
  problems?: readonly SchemaProblem[];
};

type Pinned = { record: SchemaRecord; text: string; model: ToolModel; fingerprints: ToolFingerprint };

export async function verifyTools(
  edge: Edge,
  { prefix, tools }: { prefix: string; tools: readonly JsonNode[] },
): Promise<Result<{ tools: VerifiedTool[]; asOf: AsOf }, Refusal>> {
  const pinned = await readPinned(edge, prefix);
  if (!pinned.ok) return pinned;
  const { byName, asOf } = pinned.value;
  const verified: VerifiedTool[] = [];
  let bytes = MAX_VERIFIED_DIFFERENCE_BYTES;
  for (const node of tools) {
    if (edge.work.isSpent) return refuse(workIsSpent(`tool ${verified.length + 1} of ${tools.length}`));
    const result = await verifyTool(edge, prefix, node, byName, bytes);
    bytes -= result.differences === undefined ? 0 : JSON.stringify(result.differences).length;
    verified.push(result);
  }
  const listed = new Set(verified.map(({ name }) => name));
  const missing = [...byName].filter(([name]) => !listed.has(name));
  findRenamed(verified, tools, missing);
  for (const [name, { record, fingerprints }] of missing) {
    const { subject, semver } = record;
    verified.push({ name, status: "missing", subject, version: semver, pinnedFingerprint: fingerprints.fingerprint });
  }
  return ok({ tools: verified, asOf });
}

/** A tool was renamed if one without its name has the same fingerprint apart from the name. */
function findRenamed(verified: readonly VerifiedTool[], tools: readonly JsonNode[], missing: [string, Pinned][]): void {
  const nameByNameless = new Map(
    missing.toReversed().map(([name, { fingerprints }]) => [fingerprints.nameless, name] as const),
  );
  for (const [at, each] of verified.entries()) {
    if (each.status !== "unknown") continue;
    const { nameless } = fingerprintTool(tools[at] as JsonObject, NATIVE_HASHES);
    const renamedFrom = nameByNameless.get(nameless);
    if (renamedFrom !== undefined) each.renamedFrom = renamedFrom;
  }
}

async function verifyTool(
  edge: Edge,
  prefix: string,
  node: JsonNode,
  byName: ReadonlyMap<string, Pinned>,
  maxBytes: number,
): Promise<VerifiedTool> {
  const text = writeJsonText(node);
  const parsed = await edge.work.run(
    toolFormat.parseInSlices({ text, references: [] }, { strictness: "new", defaultDialect: "2020-12" }),
  );
  const name = nameOf(node);
  const subject = `${prefix}${name}`;
  if (!parsed.ok) return { name, status: "invalid", subject, problems: parsed.refusal.problems };
  const { model } = parsed.value;
  const { fingerprint } = fingerprintTool(model.root, NATIVE_HASHES);
  const known = byName.get(name);
  if (known === undefined) return { name, status: "unknown", subject, fingerprint };
  const pins = { version: known.record.semver, fingerprint, pinnedFingerprint: known.fingerprints.fingerprint };
  if (pins.fingerprint === pins.pinnedFingerprint) return { name, status: "unchanged", subject, ...pins };
  const options = { policy: "semantic", writers: "declared" } as const;
  edge.spendComparison(text.length + known.text.length);
  const judged = await edge.work.run(judgeInSlices(toolFormat, { model, text }, known, options));
  if (!judged.ok) {
    const problems = [{ rule: "too_complex", message: judged.refusal.message, pointer: judged.refusal.pointer }];
    return { name, status: "changed", subject, ...pins, problems };
  }
  const { differences: all, differences_total = all.length, plan } = judged.value;
  const differences = listWithin(all, Math.max(0, maxBytes));
  return {
    name,
    status: "changed",
    subject,
    ...pins,
    class: severest(all),
    differences,
    ...(differences_total > differences.length ? { differencesTotal: differences_total } : {}),
    ...(plan === undefined ? {} : { plan }),
  };
}

/** A text that changed without any difference, such as a default that was written down, is information. */
function severest(differences: readonly Difference[]): Difference["severity"] {
  const [first] = sortByImportance(differences);
  const importance = first === undefined ? "info" : rateImportance(first);
  return importance === "undecided" ? "info" : importance;
}

function nameOf(node: JsonNode): string {
  const name = node.type === "object" ? node.members.get("name") : undefined;
  return name?.type === "string" ? name.value : "";
}

async function readPinned(
  edge: Edge,
  prefix: string,
): Promise<Result<{ byName: Map<string, Pinned>; asOf: AsOf }, Refusal>> {
  const answer = await edge.primary.read("records", {
    filter: { subjectPrefix: prefix, format: "tool", latestOnly: true },
    order: "subject",
    after: null,
    limit: Math.min(MAX_PINNED_TOOLS, MAX_QUERY_ROWS),
  });
  if (!answer.ok) return answer;
  const { records, next } = answer.value.value;
  if (next !== null) {
    const detail = `More than ${MAX_PINNED_TOOLS} tools are registered under "${prefix}"; name a longer prefix.`;
    const items = [{ pointer: "/subject_prefix", rule: "maxTools", message: detail }];
    return refuse(makeRefusal("UNPROCESSABLE", [detail], detail, { items }));
  }
  const texts = await readShownTexts(
    edge,
    records.map(({ contentHash }) => contentHash),
  );
  const byName = new Map<string, Pinned>();
  for (const record of records) {
    const text = texts.get(record.contentHash)?.text;
    const target = text === undefined ? undefined : await openTarget(edge, { ...record, text });
    if (text === undefined || !target?.ok) continue;
    const model = target.value.model as ToolModel;
    // The tool's own name, because a subject may be renamed by its owner and a tool may not.
    byName.set(model.own.name, { record, text, model, fingerprints: fingerprintTool(model.root, NATIVE_HASHES) });
  }
  return ok({ byName, asOf: answer.value.asOf });
}
