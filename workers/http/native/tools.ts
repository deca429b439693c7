/** `/tools/verify`: a server's tools against the registered ones. */
import { type VerifiedTool, verifyTools } from "../../registry/artefacts/verify-tools.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { requireValue } from "../errors.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

export async function postToolVerification(request: NativeRequest): Promise<Answer> {
  const { edge, tree, body } = request;
  const { subject_prefix: prefix = "" } = body as Shape<"VerifyToolsRequest">;
  const tools = tree!.members.get("tools");
  const listed = tools?.type === "array" ? tools.items : [];
  const { tools: verified, asOf } = requireValue(await verifyTools(edge, { prefix, tools: listed }));
  const unchanged = verified.every(({ status }) => status === "unchanged");
  return jsonAnswer<Shape<"VerifiedTools">>(
    200,
    { unchanged, tools: verified.map(toolJson) },
    provenance(asOf, "primary"),
  );
}

function toolJson(verified: VerifiedTool): Shape<"VerifiedTool"> {
  const { pinnedFingerprint, differencesTotal, renamedFrom, ...same } = verified;
  return {
    ...same,
    ...(pinnedFingerprint === undefined ? {} : { pinned_fingerprint: pinnedFingerprint }),
    ...(differencesTotal === undefined ? {} : { differences_total: differencesTotal }),
    ...(renamedFrom === undefined ? {} : { renamed_from: renamedFrom }),
  };
}
