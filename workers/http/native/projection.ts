/** `/project`, `/lint`, `/decode-answer`: projections for model providers, and their models' answers. */
import { makeRefusal } from "../../../contract/errors.ts";
import { MAX_ANSWER_BYTES } from "../../../registry/rpc.ts";
import { jsonBytes } from "../../../schema/difference-list.ts";
import { type JsonNode, toPlainValue, writeJsonText } from "../../../schema/json-text.ts";
import { decodeAnswer } from "../../../schema/projection/decode-answer.ts";
import { lintInSlices } from "../../../schema/projection/lint.ts";
import { type ModelAnswer, readModelAnswer } from "../../../schema/projection/model-answer.ts";
import type { Profile } from "../../../schema/projection/profile.ts";
import { PROFILES } from "../../../schema/projection/profiles.ts";
import { type Projection, type ProjectionRefusal, projectInSlices } from "../../../schema/projection/project.ts";
import { requestFragment } from "../../../schema/projection/request-fragment.ts";
import {
  type Projectable,
  type ProjectableSource,
  readProfile,
  readProjectable,
  readProjectables,
} from "../../registry/projection/projectable.ts";
import { parseContext } from "../../registry/read/subject-names.ts";
import { workIsSpent } from "../../registry/turns.ts";
import { type Answer, jsonAnswer, jsonTextAnswer } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { contentNode, type ReferenceField, requestedReferences, textParameter } from "./fields.ts";
import type { NativeRequest } from "./request.ts";

type SourceBody = { id?: string; references?: ReferenceField[]; pointer?: string };
type ProjectBody = SourceBody & { profile: string; name?: string; description?: string };
type LintBody = SourceBody & { profiles?: string[] };
type DecodeBody = SourceBody & { profile: string; tool?: string };

export async function projectRegistered(request: NativeRequest): Promise<Answer> {
  const { edge, path } = request;
  const profile = requireValue(readProfile(path.profile!, ""));
  const schema = requireValue(await readProjectable(edge, { id: path.id! }, readContext(request)));
  return projectionAnswer(request, schema, profile, {});
}

export async function postProjection(request: NativeRequest): Promise<Answer> {
  const body = request.body as ProjectBody;
  const profile = requireValue(readProfile(body.profile, "/profile"));
  const schema = requireValue(await readProjectable(request.edge, buildSource(request), readContext(request)));
  return projectionAnswer(request, schema, profile, body);
}

/** Findings of one answer, of all schemas and profiles together. Past them each report still gives the total. */
export const MAX_LINT_FINDING_BYTES = MAX_ANSWER_BYTES / 2;

export async function postLint(request: NativeRequest): Promise<Answer> {
  const body = request.body as LintBody;
  const names = body.profiles ?? PROFILES.map(({ name }) => name);
  const profiles = names.map((name, index) => requireValue(readProfile(name, `/profiles/${index}`)));
  const schemas = requireValue(await readProjectables(request.edge, buildSource(request), readContext(request)));
  const { work } = request.edge;
  const linted: unknown[] = [];
  let left = MAX_LINT_FINDING_BYTES;
  for (const { kind, name, pointer, model } of schemas) {
    if (work.isSpent) throw new RegistryError(workIsSpent(`"${pointer}" of the content`));
    const reports = await work.run(lintInSlices(model, profiles));
    const shown = reports.map(({ findings, findingsTotal, ...report }) => {
      const listed = findings.filter((finding) => {
        left -= jsonBytes(finding) + 1;
        return left >= 0;
      });
      return { ...report, findings: listed, findings_total: findingsTotal };
    });
    linted.push({ kind, name, pointer, reports: shown });
  }
  return jsonAnswer(200, { schemas: linted });
}

export async function postDecodedAnswer(request: NativeRequest): Promise<Answer> {
  const body = request.body as DecodeBody;
  const profile = requireValue(readProfile(body.profile, "/profile"));
  const schema = requireValue(await readProjectable(request.edge, buildSource(request), readContext(request)));
  const projection = await projected(request, schema, profile);
  const answer = givenAnswer(request);
  const { tool } = body;
  const target = { registered: schema.model, projection, ...(tool === undefined ? {} : { tool }) };
  return jsonAnswer(200, { api: answer.api, end_reason: answer.endReason, answers: decodeAnswer(target, answer) });
}

/** `response` is a provider's response body; `answer` is the text or value that the model produced. */
function givenAnswer({ tree }: NativeRequest): ModelAnswer {
  const response = tree!.members.get("response");
  const answer = tree!.members.get("answer");
  if ((response === undefined) === (answer === undefined)) {
    const detail = 'Send either "response", the provider\'s response body, or "answer", the model\'s output.';
    const items = [{ pointer: "/answer", rule: "answer", message: detail }];
    throw new RegistryError(makeRefusal("BAD_REQUEST", [detail], detail, { items }));
  }
  if (response !== undefined) return readModelAnswer(toPlainValue(response));
  const given = toPlainValue(answer!);
  if (typeof given === "string") return readModelAnswer(given);
  return {
    api: "value",
    parts: [{ part: "call", name: "", id: null, arguments: given }],
    end: "whole",
    endReason: null,
  };
}

function readContext(request: NativeRequest): string {
  return requireValue(parseContext(textParameter(request, "context")));
}

function buildSource({ body, tree }: NativeRequest): ProjectableSource {
  const { id, references, pointer } = body as SourceBody;
  if (id === undefined) return { content: contentNode(tree!), references: requestedReferences(references), pointer };
  if (!tree!.members.has("content") && !tree!.members.has("schema")) return { id };
  const detail = 'Send either "id" or "content".';
  const items = [{ pointer: "/id", rule: "content", message: detail }];
  throw new RegistryError(makeRefusal("BAD_REQUEST", [detail], detail, { items }));
}

async function projected({ edge }: NativeRequest, { model }: Projectable, profile: Profile): Promise<Projection> {
  const result = await edge.work.run(projectInSlices(model, profile));
  if (result.ok) return result.value;
  const { reason, problems } = result.refusal as ProjectionRefusal;
  const detail = problems[0]?.message ?? "The schema cannot be projected.";
  const items = problems.map(({ pointer, message, fix }) => ({
    pointer,
    rule: reason,
    message: fix ? `${message} ${fix}` : message,
  }));
  throw new RegistryError(
    makeRefusal(reason === "too_complex" ? "TOO_COMPLEX" : "UNPROCESSABLE", [detail], detail, { items }),
  );
}

async function projectionAnswer(...args: Parameters<typeof projectionText>): Promise<Answer> {
  return jsonTextAnswer(200, await projectionText(...args));
}

/** As text, because JavaScript objects move integer-like property names to the front. */
export async function projectionText(
  request: NativeRequest,
  schema: Projectable,
  profile: Profile,
  named: { name?: string; description?: string },
): Promise<string> {
  const projection = await projected(request, schema, profile);
  const description = named.description ?? schema.description ?? undefined;
  const naming = { name: named.name ?? schema.name ?? "schema", ...(description === undefined ? {} : { description }) };
  const shape = textParameter(request, "shape");
  const built = requestFragment(profile, shape, projection.schema, naming);
  if (!built.ok) {
    const { message } = built.refusal;
    throw new RegistryError(makeRefusal("BAD_REQUEST", [message], message, { items: [{ rule: "shape", message }] }));
  }
  const nodes: [string, JsonNode][] = [
    ["schema", projection.schema],
    ["fragment", built.value.fragment],
  ];
  const plain = {
    profile: projection.profile,
    loss: projection.loss,
    changes: projection.changes,
    changes_total: projection.changesTotal,
    shape: built.value.shape,
    decoder: projection.decoder,
  };
  const text = JSON.stringify(plain).slice(0, -1);
  return `${text},${nodes.map(([key, node]) => `"${key}":${writeJsonText(node)}`).join(",")}}`;
}
