/**
 * Validates a restored payload before it is appended. A commit writes payloads that the primary has decided; a backup
 * comes from outside, and an entry that cannot be applied, or has a number that no command would assign, must never
 * enter the log.
 */
import { COMPATIBILITY_LEVELS } from "../schema/compatibility.ts";
import { FORMAT_NAMES } from "../schema/format.ts";
import { parseJsonSchema } from "../schema/json/parse/parse.ts";
import { validateInstance } from "../schema/json/validate/validate.ts";
import { ROLES } from "../schema/rules/roles.ts";
import { ALIAS_PATTERN } from "./alias.ts";
import { LIFECYCLES } from "./association.ts";
import { CHANGE_SET_KINDS } from "./change-set.ts";
import { MODES } from "./config.ts";
import type { Payloads } from "./payloads.ts";
import { SIGNATURE_ALGORITHMS } from "./webhook.ts";

/** Numbers and Confluent ids are signed 32-bit integers on the wire. */
const MAX_WIRE_INTEGER = 2 ** 31 - 1;

type PayloadProblem = { pointer: string; message: string };

type Shape = Readonly<Record<string, unknown>>;

/** Members added by a later build are accepted. */
const record = (properties: Record<string, Shape>): Shape => ({
  type: "object",
  required: Object.keys(properties),
  properties,
});
const list = (items: Shape): Shape => ({ type: "array", items });
/** Not as alternatives, because their error messages would lose the location inside. */
const orNull = (shape: Shape): Shape => ({
  ...shape,
  ...(shape.type === undefined ? {} : { type: [shape.type, "null"] }),
  ...(Array.isArray(shape.enum) ? { enum: [...shape.enum, null] } : {}),
});

const TEXT: Shape = { type: "string" };
const OBJECT: Shape = { type: "object" };
const FLAG: Shape = { type: "boolean" };
const KEY: Shape = { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER };
const TIME_MS: Shape = { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER };
const WIRE_INTEGER: Shape = { type: "integer", minimum: 1, maximum: MAX_WIRE_INTEGER };
/** One more than the largest integer, which earlier builds wrote after the largest. */
const NEXT_CONFLUENT_ID: Shape = { type: "integer", minimum: 1, maximum: MAX_WIRE_INTEGER + 1 };
const SHA256: Shape = { type: "string", pattern: "^[0-9a-f]{64}$" };
const UUID: Shape = { type: "string", pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$" };

const SCOPE = { context: TEXT, subject: TEXT };
const REASON = { reason: orNull(TEXT) };
const NUMBERING = record({
  number: WIRE_INTEGER,
  label: TEXT,
  confluentId: orNull(WIRE_INTEGER),
  nextConfluentId: NEXT_CONFLUENT_ID,
});
const ATTRIBUTES = record({
  description: orNull(TEXT),
  tags: list(TEXT),
  owner: orNull(TEXT),
  metadata: OBJECT,
  role: orNull({ enum: ROLES }),
});
const CONTENT = record({
  key: KEY,
  hash: SHA256,
  guid: UUID,
  format: { enum: FORMAT_NAMES },
  dialect: orNull(TEXT),
  references: list(record({ name: TEXT, subject: TEXT, version: WIRE_INTEGER })),
  contract: record({ metadata: orNull(OBJECT), ruleSet: orNull(OBJECT) }),
  equivalenceHash: SHA256,
});
const CONFIG: Shape = {
  type: "object",
  properties: { compatibilityLevel: { enum: COMPATIBILITY_LEVELS }, compatibilityGroup: TEXT, alias: TEXT },
};
const ASSOCIATION = record({
  id: UUID,
  resource: record({ name: TEXT, namespace: TEXT, id: TEXT, type: TEXT }),
  type: TEXT,
  lifecycle: { enum: LIFECYCLES },
  frozen: FLAG,
  createdAtMs: TIME_MS,
  updatedAtMs: TIME_MS,
});
const ENDPOINT = record({
  url: TEXT,
  description: orNull(TEXT),
  subjects: list(TEXT),
  types: list(TEXT),
  enabled: FLAG,
  algorithms: list({ enum: SIGNATURE_ALGORITHMS }),
  disabledBy: orNull({ enum: ["administrator", "gone"] }),
  keys: { ...list(record({ generation: KEY, createdAtMs: TIME_MS })), minItems: 1 },
});

const REQUIRED_APPROVAL = record({ role: orNull(TEXT), count: KEY });

const SHAPES: { [T in keyof Payloads]: Shape } = {
  "schema.registered": record({
    subject: record({ key: KEY, ...SCOPE, defaultPolicy: { enum: ["strict", "lenient", "semantic"] } }),
    id: UUID,
    content: CONTENT,
    targets: list(record({ subjectKey: KEY, number: WIRE_INTEGER })),
    attributes: orNull(ATTRIBUTES),
    numbering: orNull(NUMBERING),
  }),
  "schema.activated": record({ recordKey: KEY, numbering: orNull(NUMBERING), ...REASON }),
  "schema.updated": record({ recordKey: KEY, attributes: ATTRIBUTES }),
  "schema.deprecated": record({ recordKey: KEY, ...REASON }),
  "schema.archived": record({ recordKey: KEY, ...REASON }),
  "schema.deleted": record({ recordKeys: list(KEY) }),
  "schema.undeleted": record({ recordKeys: list(KEY) }),
  "schema.erased": record({
    recordKeys: list(KEY),
    subjects: list(
      record({
        key: KEY,
        ...SCOPE,
        gone: FLAG,
        lastNumber: { type: "integer", minimum: 0, maximum: MAX_WIRE_INTEGER },
        lastLabel: orNull(TEXT),
      }),
    ),
    contexts: list(record({ context: TEXT, nextConfluentId: NEXT_CONFLUENT_ID })),
  }),
  "config.changed": record({ ...SCOPE, config: orNull(CONFIG) }),
  "mode.changed": record({ scopes: list(record({ ...SCOPE, mode: orNull({ enum: MODES }) })) }),
  "rule.changed": record({ ...SCOPE, book: orNull(OBJECT) }),
  "context.deleted": record({ context: TEXT }),
  "association.changed": record({ subjects: list(record({ ...SCOPE, associations: list(ASSOCIATION) })) }),
  "webhook.changed": record({ id: UUID, endpoint: orNull(ENDPOINT), ...REASON }),
  "change_set.committed": record({
    id: UUID,
    kind: { enum: CHANGE_SET_KINDS },
    message: orNull(TEXT),
    proposal: orNull(UUID),
    firstSeq: KEY,
  }),
  "governance.changed": record({
    governance: record({
      protections: list(
        record({ name: TEXT, subjects: list(TEXT), approvals: list(REQUIRED_APPROVAL), expiresAfterHours: KEY }),
      ),
      freezes: list(record({ name: TEXT, subjects: list(TEXT), fromMs: TIME_MS, untilMs: TIME_MS, reason: TEXT })),
    }),
  }),
  "proposal.opened": record({
    id: UUID,
    digest: SHA256,
    message: orNull(TEXT),
    changes: list(OBJECT),
    subjects: list(TEXT),
    required: list(REQUIRED_APPROVAL),
    expiresAtMs: TIME_MS,
  }),
  "proposal.commented": record({ id: UUID, text: TEXT }),
  "proposal.approved": record({ id: UUID, roles: list(TEXT) }),
  "proposal.rejected": record({ id: UUID, ...REASON, isWithdrawn: FLAG }),
  "proposal.applied": record({ id: UUID, recordKeys: list(KEY) }),
  "proposal.expired": record({ id: UUID }),
  "alias.moved": record({
    subjectKey: KEY,
    alias: { type: "string", pattern: ALIAS_PATTERN.source },
    settings: orNull(record({ protected: FLAG, gates: list(record({ name: TEXT, expression: TEXT })) })),
    target: orNull(record({ recordKey: KEY, number: WIRE_INTEGER })),
    from: orNull(WIRE_INTEGER),
    ...REASON,
  }),
  "evidence.attached": record({
    recordKey: KEY,
    results: list(
      record({ metric: TEXT, score: { type: "number" }, evaluation: TEXT, evaluation_id: TEXT, model: TEXT }),
    ),
  }),
  "change.overridden": record({ reason: TEXT, subjects: list(TEXT), protections: list(TEXT), freezes: list(TEXT) }),
};

const checks = new Map<keyof Payloads, (payload: unknown) => PayloadProblem | undefined>();

/** The first problem of a payload, or undefined. */
export function findPayloadProblem(type: keyof Payloads, payload: unknown): PayloadProblem | undefined {
  const known = checks.get(type);
  if (known) return known(payload);
  const check = compileShape(SHAPES[type]);
  checks.set(type, check);
  return check(payload);
}

function compileShape(shape: Shape): (payload: unknown) => PayloadProblem | undefined {
  const parsed = parseJsonSchema(
    { text: JSON.stringify(shape), references: [] },
    { strictness: "new", defaultDialect: "2020-12" },
  );
  if (!parsed.ok) throw new Error(`The schema of a payload is invalid: ${parsed.refusal.problems[0]?.message}`);
  return (payload) => {
    const result = validateInstance(parsed.value.model, payload, { formats: false });
    if (!result.ok) return { pointer: "", message: result.refusal.message };
    const [first] = result.value.errors;
    return first && { pointer: first.pointer, message: first.message };
  };
}
