/** `/prompts/render`: a registered prompt with a caller's variables. */
import { makeRefusal } from "../../../contract/errors.ts";
import { writeDataText } from "../../../schema/data-text.ts";
import { type JsonNode, toPlainValue } from "../../../schema/json-text.ts";
import type { PromptModel } from "../../../schema/prompt/model.ts";
import { type RenderRefusal, renderPrompt } from "../../../schema/prompt/render.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import { readProfile } from "../../registry/projection/projectable.ts";
import { readTarget } from "../../validation/targets.ts";
import { type Answer, jsonTextAnswer, provenance } from "../answer.ts";
import { RegistryError, requireValue } from "../errors.ts";
import { projectionText } from "./projection.ts";
import { parseConsistency } from "./records.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

type RenderBody = Shape<"RenderRequest">;

export async function postRendering(request: NativeRequest): Promise<Answer> {
  const { edge } = request;
  const body = request.body as RenderBody;
  const profile = body.profile === undefined ? undefined : requireValue(readProfile(body.profile, "/profile"));
  const { target, record, asOf, source, contentHash } = requireValue(
    await readTarget(edge, toPromptSelector(body), parseConsistency(request)),
  );
  if (target.format.name !== "prompt") {
    throw unprocessable(`Only a prompt can be rendered, not a ${target.format.name}.`, body.id ? "/id" : "/subject");
  }
  const model = target.model as PromptModel;
  const rendered = renderPrompt(
    model,
    toPlainValue(request.tree!.members.get("variables")!) as Record<string, unknown>,
  );
  if (!rendered.ok) throw toRenderError(rendered.refusal);
  const { own, root, parts } = model;
  const plain = {
    stamp: {
      subject: record ? printSubjectName(record) : null,
      context: record?.context ?? ".",
      version: record?.semver ?? null,
      version_number: record?.versionNumber ?? null,
      id: record?.id ?? body.id,
    },
    messages: rendered.value,
    model: plainAt(root.members.get("model")),
    tools: own.tools.flatMap(({ name, reference }) =>
      reference ? [{ name, subject: reference.subject, version_number: reference.version }] : [],
    ),
  };
  const text = writeDataText(plain);
  const headers = provenance(asOf, source);
  if (profile === undefined) return jsonTextAnswer(200, text, headers);
  const output = parts.find(({ declaration }) => declaration.name === "output");
  if (output === undefined || output.pointer === null) {
    throw unprocessable('The prompt declares no "output" that could be projected.', "/profile");
  }
  const name = (record?.subject ?? contentHash).replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, 64);
  const projectable = { kind: null, name, description: null, pointer: output.pointer, model: output.model };
  const projection = await projectionText(request, projectable, profile, {});
  return jsonTextAnswer(200, `${text.slice(0, -1)},"output":${projection}}`, headers);
}

function toPromptSelector({ id, subject, context, version = "latest" }: RenderBody) {
  if ((id === undefined) === (subject === undefined)) {
    const detail = 'Name the prompt by "id", or by "subject" and "version".';
    const items = [{ pointer: "/subject", rule: "prompt", message: detail }];
    throw new RegistryError(makeRefusal("BAD_REQUEST", [detail], detail, { items }));
  }
  return id === undefined ? { subject: subject!, context, version: String(version) } : { id };
}

function plainAt(node: JsonNode | undefined): unknown {
  return node === undefined ? null : toPlainValue(node);
}

function unprocessable(detail: string, pointer: string): RegistryError {
  return new RegistryError(
    makeRefusal("UNPROCESSABLE", [detail], detail, { items: [{ pointer, rule: "prompt", message: detail }] }),
  );
}

function toRenderError(refusal: RenderRefusal): RegistryError {
  if (refusal.reason === "invalid_variables") {
    const detail = "The variables do not match the prompt's declaration.";
    const items = refusal.errors.map(({ pointer, keyword, message }) => ({
      pointer: `/variables${pointer}`,
      rule: keyword,
      message,
    }));
    return new RegistryError(makeRefusal("UNPROCESSABLE", [detail], detail, { items }));
  }
  if (refusal.reason === "missing_variables") {
    const detail = `The template needs variables that are missing: ${refusal.names.join(", ")}.`;
    const items = refusal.names.map((name) => ({
      pointer: "/variables",
      rule: "missing_variable",
      message: `The template uses "${name}", which is neither given nor has a default.`,
    }));
    return new RegistryError(makeRefusal("UNPROCESSABLE", [detail], detail, { items }));
  }
  const { reason, message } = refusal;
  const error = reason === "too_complex" ? "TOO_COMPLEX" : "UNPROCESSABLE";
  const items = [{ pointer: "/variables", rule: reason, message }];
  return new RegistryError(makeRefusal(error, [message], message, { items }));
}
