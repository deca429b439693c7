/** `/schemas/{id}/validate`, `/validate`, `/batch/validate`: validation of values against schemas. */
import { ERRORS, type Refusal } from "../../../contract/errors.ts";
import { errorFields, logLine } from "../../../observe/log-line.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import type { SchemaRecord } from "../../../registry/record.ts";
import { type DataOptions, printDataError } from "../../../schema/data.ts";
import { readFrame } from "../../../schema/framing.ts";
import type { Result } from "../../../schema/result.ts";
import { Fairness } from "../../validation/fairness.ts";
import { type FoundTarget, readTarget, type TargetSelector } from "../../validation/targets.ts";
import { findFrameProblem, type Payload, type ValidationOutcome, validatePayload } from "../../validation/validate.ts";
import { validateLines } from "../../validation/validate-lines.ts";
import { askVersions, isVersionRange } from "../../validation/versions.ts";
import { type Answer, JSON_MEDIA_TYPE, jsonTextAnswer, prebuiltHeaders, provenance } from "../answer.ts";
import { RegistryError } from "../errors.ts";
import {
  parseDataOptions,
  parseFraming,
  parseHeaderGuid,
  parsePayload,
  parseTargetSelector,
  readDataBody,
  readEnvelope,
  readMessageBytes,
  requireFormat,
  requireSelector,
  selectorOfQuery,
} from "./data-request.ts";
import { parseConsistency } from "./records.ts";
import { type NativeRequest, refuseItems } from "./request.ts";
import type { Shape } from "./shapes.ts";

export async function validateById(request: NativeRequest): Promise<Answer> {
  const body = readDataBody(request);
  const selector = { id: request.path.id! };
  if (body.form === "lines") return linesAnswer(request, await requireTarget(request, selector));
  if (body.form === "bytes") {
    const payload: Payload = { bytes: await readMessageBytes(request), framing: parseFraming(request) };
    const found = await requireTarget(request, selector);
    requireFormat(body, found.target.format.name);
    const claimed = await withHeaderGuid(request, found, payload);
    return validationAnswer(request, found, claimed, parseDataOptions(request));
  }
  const fields = await readEnvelope<Shape<"DataToValidate">>(request);
  const payload = parsePayload(fields);
  return validationAnswer(
    request,
    await requireTarget(request, selector),
    payload,
    parseDataOptions(request, fields.message),
  );
}

/** A guid beside the bytes must be this schema's, like one in their frame. */
async function withHeaderGuid(request: NativeRequest, found: FoundTarget, payload: Payload): Promise<Payload> {
  const guid = parseHeaderGuid(request);
  if (guid === undefined) return payload;
  const problem = await findFrameProblem(request.edge, found, { guid: guid.toLowerCase() });
  if (problem === undefined) return payload;
  if ("valid" in problem) return { unreadable: problem };
  throw new RegistryError(problem);
}

export async function validateBySelector(request: NativeRequest): Promise<Answer> {
  const body = readDataBody(request);
  if (body.form === "json") return validateEnvelope(request);
  if (body.form === "lines") {
    return linesAnswer(request, await requireTarget(request, requireSelector(selectorOfQuery(request))));
  }
  const bytes = await readMessageBytes(request);
  const selector = selectorOfQuery(request);
  // Without a schema in the request, the frame must identify it.
  const framing = selector === undefined ? "confluent" : parseFraming(request);
  const found = await requireTarget(request, selector ?? selectorOfFrame(request, bytes));
  requireFormat(body, found.target.format.name);
  return validationAnswer(request, found, { bytes, framing }, parseDataOptions(request));
}

function selectorOfFrame(request: NativeRequest, bytes: Uint8Array): TargetSelector {
  const frame = readFrame(bytes, "confluent");
  const context = request.query.context as string | undefined;
  if (frame.ok) {
    const { schema } = frame.value;
    if ("guid" in schema) return schema;
    if ("confluentId" in schema) return { ...schema, context };
  }
  const reason = frame.ok ? "" : ` ${frame.refusal.errors[0]!.message}`;
  const message = `Neither the request nor the bytes identify a schema.${reason}`;
  return refuseItems([{ rule: "schema", message }]) as never;
}

async function validateEnvelope(request: NativeRequest): Promise<Answer> {
  const fields = await readEnvelope<Shape<"ValidationQuestion">>(request);
  const options = parseDataOptions(request, fields.message);
  if (fields.versions !== undefined) return versionsAnswer(request, fields, fields.versions, options);
  const found = await requireTarget(request, requireSelector(parseTargetSelector(fields)));
  if (fields.items === undefined) return validationAnswer(request, found, parsePayload(fields), options);
  if (Object.hasOwn(fields, "data") || fields.data_base64 !== undefined) {
    refuseItems([{ pointer: "/items", rule: "data", message: 'Send either "items" or a single value.' }]);
  }
  const payloads = fields.items.map((value): Payload => ({ value }));
  return batchAnswer(request, payloads, (payload) => validatePayload(request.edge, found, payload, options));
}

export async function validateBatch(request: NativeRequest): Promise<Answer> {
  const { items } = await readEnvelope<Shape<"ValidationBatch">>(request);
  const questions = items.map((item, index) => ({
    selector: requireSelector(parseTargetSelector(item, `/items/${index}`), `/items/${index}`),
    payload: parsePayload(item, `/items/${index}`),
    options: parseDataOptions(request, item.message),
  }));
  return batchAnswer(request, questions, async ({ selector, payload, options }) => {
    const found = await readTarget(request.edge, selector, parseConsistency(request));
    return found.ok ? validatePayload(request.edge, found.value, payload, options) : found;
  });
}

async function requireTarget(request: NativeRequest, selector: TargetSelector): Promise<FoundTarget> {
  return required(await readTarget(request.edge, selector, parseConsistency(request)));
}

function required<Value>(result: Result<Value, Refusal>): Value {
  if (result.ok) return result.value;
  throw new RegistryError(result.refusal);
}

async function validationAnswer(
  request: NativeRequest,
  found: FoundTarget,
  payload: Payload,
  options: DataOptions,
): Promise<Answer> {
  const startedAtMs = request.edge.now();
  const outcome = required(await validatePayload(request.edge, found, payload, options));
  request.edge.counters.add("registry_validations_total", [outcome.engine]);
  const body = {
    ...outcomeJson(request, outcome),
    engine: outcome.engine,
    validation_time_ms: request.edge.now() - startedAtMs,
    ...(found.record === null ? {} : { schema: versionJson(found.record) }),
  };
  return validatedAnswer(request, found, JSON.stringify(body));
}

/** The headers of responses about contents from memory. Derived only from what the cache holds, and kept as long. */
const HEADERS_IN_MEMORY = new WeakMap<AsOf, Headers>();

function validatedAnswer({ edge }: NativeRequest, { asOf, source, record }: FoundTarget, body: string): Answer {
  // Only contents that are named by an identifier are counted as such; versions are looked up.
  if (source !== "memory" || record !== null) return jsonTextAnswer(200, body, provenance(asOf, source));
  let prebuilt = HEADERS_IN_MEMORY.get(asOf);
  if (prebuilt === undefined) {
    prebuilt = prebuiltHeaders({ "Content-Type": JSON_MEDIA_TYPE, ...provenance(asOf, source) }, edge.isLocal);
    HEADERS_IN_MEMORY.set(asOf, prebuilt);
  }
  return { status: 200, headers: {}, body, prebuilt };
}

type VerdictJson = Pick<Shape<"Validation">, "valid" | "is_valid" | "errors" | "warnings" | "sentences">;

function outcomeJson({ query }: NativeRequest, { verdict }: ValidationOutcome): VerdictJson {
  const { valid, errors, warnings } = verdict;
  const sentences = query.sentences === true ? { sentences: errors.map(printDataError) } : {};
  return { valid, is_valid: valid, errors: [...errors], warnings: [...warnings], ...sentences };
}

function versionJson({ id, subject, context, semver, versionNumber }: SchemaRecord) {
  return { id, subject, context, version: semver, version_number: versionNumber };
}

async function batchAnswer<Question>(
  request: NativeRequest,
  questions: readonly Question[],
  validate: (question: Question) => Promise<Result<ValidationOutcome, Refusal>>,
): Promise<Answer> {
  const startedAtMs = request.edge.now();
  const summary = new Summary(request);
  const fairness = new Fairness();
  const items: object[] = [];
  for (const [index, question] of questions.entries()) {
    const outcome = await validate(question);
    items.push(itemJson(request, summary, index, outcome));
    const turn = fairness.after(outcome);
    if (turn !== undefined) await turn;
  }
  const body = { items, summary: summary.json(), validation_time_ms: request.edge.now() - startedAtMs };
  return jsonTextAnswer(200, JSON.stringify(body));
}

function itemJson(
  request: NativeRequest,
  summary: Summary,
  index: number,
  outcome: Result<ValidationOutcome, Refusal>,
): object {
  summary.add(outcome);
  if (!outcome.ok) return { index, problem: problemJson(outcome.refusal) };
  return { index, ...outcomeJson(request, outcome.value), engine: outcome.value.engine };
}

function problemJson({ error, detail }: Refusal) {
  return { code: ERRORS[error].code, detail };
}

class Summary {
  readonly #counters: NativeRequest["edge"]["counters"];
  #total = 0;
  #valid = 0;
  #undecided = 0;
  #compiled = 0;

  constructor({ edge }: NativeRequest) {
    this.#counters = edge.counters;
  }

  add(outcome: Result<ValidationOutcome, Refusal>): void {
    this.#total += 1;
    if (outcome.ok) this.#counters.add("registry_validations_total", [outcome.value.engine]);
    if (!outcome.ok) this.#undecided += 1;
    else if (outcome.value.verdict.valid) this.#valid += 1;
    if (outcome.ok && outcome.value.engine === "compiled") this.#compiled += 1;
  }

  json() {
    const invalid = this.#total - this.#valid - this.#undecided;
    return {
      total: this.#total,
      valid: this.#valid,
      invalid,
      undecided: this.#undecided,
      compiled: this.#compiled,
    };
  }
}

async function versionsAnswer(
  request: NativeRequest,
  fields: Shape<"ValidationQuestion">,
  range: string,
  options: DataOptions,
): Promise<Answer> {
  const { subject, context } = fields;
  if (subject === undefined || fields.version !== undefined || fields.items !== undefined) {
    const message = '"versions" requires "subject" and a single value, and excludes "version".';
    refuseItems([{ pointer: "/versions", rule: "versions", message }]);
  }
  if (fields.framing !== undefined && fields.framing !== "none") {
    const message = "A frame identifies one schema; send the message without it.";
    refuseItems([{ pointer: "/framing", rule: "framing", message }]);
  }
  if (!isVersionRange(range)) {
    refuseItems([
      { pointer: "/versions", rule: "versions", message: 'Expected "all" or a range such as "^2" or "1.x".' },
    ]);
  }
  const startedAtMs = request.edge.now();
  const asked = required(
    await askVersions(request.edge, { subject: subject!, context, range }, parsePayload(fields), options),
  );
  const summary = new Summary(request);
  const versions = asked.versions.map(({ record, outcome }) => {
    const { id, version, version_number } = versionJson(record);
    summary.add(outcome);
    const said = outcome.ok
      ? { ...outcomeJson(request, outcome.value), engine: outcome.value.engine }
      : { problem: problemJson(outcome.refusal) };
    return { id, version, version_number, ...said };
  });
  const body = {
    versions,
    omitted_versions: asked.total - versions.length,
    summary: summary.json(),
    validation_time_ms: request.edge.now() - startedAtMs,
  };
  return jsonTextAnswer(200, JSON.stringify(body), provenance(asked.asOf, "primary"));
}

/** A result line per input line, and a summary at the end. Written only as fast as the client reads. */
function linesAnswer(request: NativeRequest, found: FoundTarget): Answer {
  return {
    status: 200,
    headers: { "Content-Type": "application/x-ndjson", ...provenance(found.asOf, found.source) },
    body: streamVerdicts(answerLines(request, found), request.caller.requestId),
  };
}

async function* answerLines(request: NativeRequest, found: FoundTarget): AsyncGenerator<string, void, undefined> {
  const options = parseDataOptions(request);
  const isWanted = request.query.only === "invalid" ? (valid: boolean) => !valid : () => true;
  const summary = new Summary(request);
  const chunks = request.request.body ?? new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  const lines = chunks as unknown as AsyncIterable<Uint8Array>;
  for await (const group of validateLines(request.edge, found, lines, options)) {
    let text = "";
    for (const { line, outcome } of group) {
      summary.add(outcome);
      if (!outcome.ok) text += `${JSON.stringify({ line, problem: problemJson(outcome.refusal) })}\n`;
      else if (isWanted(outcome.value.verdict.valid)) text += `${lineJson(request, line, outcome.value)}\n`;
    }
    if (text !== "") yield text;
  }
  yield `${JSON.stringify({ summary: summary.json() })}\n`;
}

function lineJson(request: NativeRequest, line: number, outcome: ValidationOutcome): string {
  const { valid, warnings } = outcome.verdict;
  if (valid && warnings.length === 0) return `{"line":${line},"valid":true}`;
  const { errors, sentences } = outcomeJson(request, outcome);
  return JSON.stringify({
    line,
    valid,
    ...(errors.length > 0 ? { errors } : {}),
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(sentences === undefined || sentences.length === 0 ? {} : { sentences }),
  });
}

function streamVerdicts(texts: AsyncGenerator<string, void, undefined>, requestId: string): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await texts.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(value));
      } catch (error) {
        // The status has been sent, so an error can only be reported as the last line.
        logLine("error", "A validation of lines failed", { request_id: requestId, ...errorFields(error) });
        const problem = { code: ERRORS.INTERNAL.code, detail: "Something went wrong on the server." };
        controller.enqueue(encoder.encode(`${JSON.stringify({ problem })}\n`));
        controller.close();
      }
    },
    async cancel() {
      await texts.return();
    },
  });
}
