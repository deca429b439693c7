/** Registration and lookup as the Confluent contract knows them (§4): copies of the newest version, changes of tags, known content from caches. */
import { type Refusal, refuse } from "../../contract/errors";
import {
  type AsOf,
  type Caller,
  NO_ATTRIBUTES,
  type RegisterCommand,
  type Registered,
  type SchemaRecord,
} from "../../durable-objects/protocol";
import { sha256Hex } from "../../schema/content-hash";
import type { ContractMetadata, ContractRuleSet } from "../../schema/contract-metadata";
import type { FormatName } from "../../schema/format";
import { printSubjectName, type SubjectName } from "../../schema/subject-name";
import type { Edge } from "../edge";
import { type Consistency, keepKnownRecord, readKnownRecord } from "../read-path/records";
import { textOf } from "../read-path/texts";
import { commitCommand, lookUpContent } from "./commit";
import { CONFLUENT_DIALECT } from "./views";

export type ConfluentSchema = {
  format: FormatName;
  text: string;
  references: RegisterCommand["references"];
  metadata: ContractMetadata | null;
  ruleSet: ContractRuleSet | null;
  normalise: boolean;
};

export type ConfluentRegistration = ConfluentSchema & {
  name: SubjectName;
  versionNumber: number | null;
  confluentId: number | null;
  force: boolean;
};

export type Registration = { ok: true; record: SchemaRecord; asOf: AsOf };

/** A copy of the newest version is made anew when another one came in between. */
const COPY_ATTEMPTS = 5;

export async function registerConfluent(
  edge: Edge,
  caller: Caller,
  registration: ConfluentRegistration,
  consistency: Consistency,
  options: { idempotencyKey?: string | undefined },
): Promise<Registration | Refusal> {
  if (registration.text === "") return registerCopy(edge, caller, registration, options);
  const key = knownKey("register", registration);
  const known = readKnownRecord(edge, caller.tenant, key, consistency);
  if (known) return { ok: true, ...known };
  const askedAtMs = edge.now();
  const registered = await commitRegistration(edge, caller, registration, {}, options);
  if (registered.ok) keepKnownRecord(edge, caller.tenant, key, consistency, { ...registered, readAtMs: askedAtMs });
  return registered;
}

/** Only metadata or rules were sent: text, format and references are the newest live version's. */
async function registerCopy(
  edge: Edge,
  caller: Caller,
  registration: ConfluentRegistration,
  options: { idempotencyKey?: string | undefined },
): Promise<Registration | Refusal> {
  for (let attempt = 1; ; attempt += 1) {
    const newest = await readNewest(edge, caller.tenant, registration.name);
    if ("ok" in newest) return newest;
    if (newest.record === null) return refuse("INVALID_SCHEMA", ["Empty schema"], "Empty schema");
    const { record, text } = newest;
    const copied = { ...registration, format: record.format, text, references: record.references };
    const basedOn = record.contentHash;
    const registered = await commitRegistration(edge, caller, copied, { basedOn }, options);
    if (registered.ok || registered.error !== "BUSY" || attempt === COPY_ATTEMPTS) return registered;
  }
}

/** The newest live version with its text, null where there is none. */
async function readNewest(
  edge: Edge,
  tenant: string,
  name: SubjectName,
): Promise<{ record: SchemaRecord; text: string } | { record: null } | Refusal> {
  const answer = await edge.primary(tenant).read("recordByProperties", { name, properties: [], deleted: false });
  if ("ok" in answer) return answer;
  if (!("found" in answer.value)) return { record: null };
  const record = answer.value.found;
  const text = await textOf(edge, tenant, record.contentHash);
  return "ok" in text ? text : { record, text: text.text };
}

async function commitRegistration(
  edge: Edge,
  caller: Caller,
  registration: ConfluentRegistration,
  more: Pick<RegisterCommand, "basedOn" | "alwaysNewVersion">,
  options: { idempotencyKey?: string | undefined },
): Promise<Registration | Refusal> {
  const command: RegisterCommand = {
    type: "register",
    api: "confluent",
    dialect: CONFLUENT_DIALECT,
    label: null,
    state: "active",
    attributes: NO_ATTRIBUTES,
    compatibilityLevel: null,
    ...registration,
    ...more,
  };
  const committed = await commitCommand(edge, caller, command, options);
  if (!committed.ok) return committed;
  return { ok: true, record: (committed.outcome as Registered).record, asOf: committed.asOf };
}

export async function lookUpConfluent(
  edge: Edge,
  tenant: string,
  lookup: ConfluentSchema & { name: SubjectName; deleted: boolean },
  consistency: Consistency,
): Promise<(Registration & { exact: boolean }) | Refusal> {
  const key = knownKey("lookup", lookup);
  const known = readKnownRecord(edge, tenant, key, consistency);
  if (known) return { ok: true, exact: false, ...known };
  const askedAtMs = edge.now();
  const found = await lookUpContent(edge, { tenant, dialect: CONFLUENT_DIALECT, anyContext: true, ...lookup });
  if ("ok" in found) return found;
  const { record, exact, asOf } = found;
  keepKnownRecord(edge, tenant, key, consistency, { record, asOf, readAtMs: askedAtMs });
  return { ok: true, record, exact, asOf };
}

/** What was asked, whole: two questions that could have two answers never share a key. */
function knownKey(operation: "register" | "lookup", asked: ConfluentSchema & { name: SubjectName }): string {
  return `${operation}/${sha256Hex(JSON.stringify({ ...asked, name: printSubjectName(asked.name) }))}`;
}
