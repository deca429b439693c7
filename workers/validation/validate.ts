/** Validates one value or message against a schema, framed or not, and reports which engine decided. */
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import {
  type DataForm,
  type DataOptions,
  type DataRefusal,
  type DataValue,
  type DataVerdict,
  unreadable,
  VALID,
} from "../../schema/data.ts";
import { writeDataText } from "../../schema/data-text.ts";
import { type FramedSchema, type Framing, hex, readFrame } from "../../schema/framing.ts";
import { ok, type Result, refuse } from "../../schema/result.ts";
import type { Edge } from "../edge.ts";
import { type ContentSelector, readContent } from "../read-path/content.ts";
import { compiledFor, findCompilable } from "./compiled.ts";
import { mayPayToCompile, paysToCompile } from "./pays.ts";
import type { FoundTarget, Target } from "./targets.ts";

/** Bytes of one message: the usual limit of brokers, and small enough to decode without a pause. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

type Engine = "interpreted" | "compiled";
export type ValidationOutcome = { verdict: DataVerdict; engine: Engine };

/** The input: a value, or the bytes of a message. `unreadable` is a text without a value. */
export type Payload = { value: DataValue } | { bytes: Uint8Array; framing: Framing } | { unreadable: DataVerdict };

/** A payload whose frame, if it had one, was removed. */
export type UnframedPayload = { value: DataValue } | { bytes: Uint8Array } | { unreadable: DataVerdict };

export async function validatePayload(
  edge: Edge,
  found: FoundTarget,
  payload: Payload,
  options: DataOptions,
): Promise<Result<ValidationOutcome, Refusal>> {
  if ("unreadable" in payload) return ok({ verdict: payload.unreadable, engine: "interpreted" });
  const { target } = found;
  target.heat.add(1, edge.now());
  if ("value" in payload) {
    const text = () => UTF8.encode(writeDataText(payload.value));
    if (mayPayToCompile([target], "value") && (await isCertainlyValid(edge, target, "value", text, options))) {
      return CERTAINLY_VALID;
    }
    return validateValue(target, payload.value, options);
  }
  const unframed = await unframe(edge, found, payload.bytes, payload.framing);
  if (!unframed.ok) return "valid" in unframed.refusal ? decided(unframed.refusal) : refuse(unframed.refusal);
  const { payload: bytes, message } = unframed.value;
  const ofMessage = { ...options, ...(message ? { message } : {}) };
  if (await isCertainlyValid(edge, target, "bytes", () => bytes, ofMessage)) return CERTAINLY_VALID;
  return validateMessage(target, bytes, ofMessage);
}

const UTF8 = new TextEncoder();
export const CERTAINLY_VALID = ok<ValidationOutcome>({ verdict: VALID, engine: "compiled" });

/** Whether the compiled engine says so; false if it was not asked because that would not pay. */
async function isCertainlyValid(
  edge: Edge,
  target: Target,
  form: DataForm,
  datum: () => Uint8Array,
  options: DataOptions,
): Promise<boolean> {
  if (findCompilable(target, form, options) === undefined) return false;
  const bytes = datum();
  if (!paysToCompile([target], form, bytes.length)) return false;
  const compiled = await compiledFor(edge, [target], form, options);
  return (await compiled?.check([bytes]))?.[0] === 1;
}

export function validateValue(
  { format, model, heat }: Target,
  value: DataValue,
  options: DataOptions,
): Result<ValidationOutcome, Refusal> {
  const verdict = format.data.validate(model, value, options);
  if (!verdict.ok) return refuse(dataRefusal(verdict.refusal));
  if (verdict.value.steps !== undefined) heat.addWork(verdict.value.steps);
  return decided(verdict.value);
}

export function interpretPayload(
  target: Target,
  payload: UnframedPayload,
  options: DataOptions,
): Result<ValidationOutcome, Refusal> {
  if ("unreadable" in payload) return decided(payload.unreadable);
  return "value" in payload
    ? validateValue(target, payload.value, options)
    : validateMessage(target, payload.bytes, options);
}

function validateMessage(target: Target, bytes: Uint8Array, options: DataOptions): Result<ValidationOutcome, Refusal> {
  const decoded = decodeMessage(target, bytes, options);
  if (decoded.ok) return decided({ ...VALID, warnings: decoded.value.warnings });
  return "valid" in decoded.refusal ? decided(decoded.refusal) : refuse(decoded.refusal);
}

function decided(verdict: DataVerdict): Result<ValidationOutcome, Refusal> {
  return ok({ verdict, engine: "interpreted" });
}

type Decoded = { value: DataValue; warnings: DataVerdict["warnings"] };

/** Decodes bytes without a frame; invalid bytes get a verdict. */
export function decodeMessage(
  { format, model }: Target,
  bytes: Uint8Array,
  options: DataOptions,
): Result<Decoded, DataVerdict | Refusal> {
  const decoded = format.data.decode(model, bytes, options);
  if (decoded.ok) return decoded;
  return refuse("valid" in decoded.refusal ? decoded.refusal : dataRefusal(decoded.refusal));
}

type Unframed = { payload: Uint8Array; message: string | undefined };

/** Removes the frame and checks that it identifies this schema; a different schema is an error of the message. */
export async function unframe(
  edge: Edge,
  found: FoundTarget,
  bytes: Uint8Array,
  framing: Framing,
): Promise<Result<Unframed, DataVerdict | Refusal>> {
  if (framing === "none") return ok({ payload: bytes, message: undefined });
  const { format, model } = found.target;
  if (framing === "single-object" && format.data.fingerprint === undefined) return refuse(noSingleObject(format.name));
  const frame = readFrame(bytes, framing);
  if (!frame.ok) return frame;
  const { schema, rest } = frame.value;
  const problem = await findFrameProblem(edge, found, schema);
  if (problem !== undefined) return refuse(problem);
  const head = format.data.confluentHead;
  if (framing === "single-object" || head === undefined) return ok({ payload: rest, message: undefined });
  return head.read(model, rest);
}

export function noSingleObject(format: string): Refusal {
  const detail = `Single-object encoding is only for Avro, but this schema is ${format}.`;
  return makeRefusal("UNSUPPORTED", [detail], detail, { items: [{ rule: "framing", message: detail }] });
}

/** The reason that a schema named beside or before the bytes is not this one. */
export async function findFrameProblem(
  edge: Edge,
  { target, contentHash, context }: FoundTarget,
  named: FramedSchema,
): Promise<DataVerdict | Refusal | undefined> {
  if ("fingerprint" in named) {
    const own = hex(target.format.data.fingerprint!(target.model));
    const given = hex(named.fingerprint);
    return own === given ? undefined : unreadable("framing", `the schema's fingerprint ${own}`, given);
  }
  const selector: ContentSelector = "guid" in named ? named : { context, confluentId: named.confluentId };
  const read = await readContent(edge, { selector, token: undefined });
  if (!read.ok) return read.refusal;
  const name = "guid" in named ? `the guid ${named.guid}` : `the id ${named.confluentId}`;
  if ("absent" in read.value) return unreadable("framing", "the id of this schema", `${name}, which no schema has`);
  if (read.value.value.contentHash === contentHash) return undefined;
  return unreadable("framing", "the id of this schema", `${name}, which is another schema's`);
}

const REFUSALS = { too_complex: "TOO_COMPLEX", invalid_schema: "INVALID_SCHEMA", unsupported: "UNSUPPORTED" } as const;

/** The reason there is no verdict, in the form of the API's other responses. */
export function dataRefusal({ reason, message, schema_pointer }: DataRefusal): Refusal {
  const detail = schema_pointer ? `${message} In the schema: ${schema_pointer}` : message;
  return makeRefusal(REFUSALS[reason], [detail], detail, { items: [{ rule: reason, message: detail }] });
}
