/** `/datasets/{s}/check` and `/datasets/{s}/drift`: rows and sketches of rows against a registered data set. */
import { makeRefusal } from "../../../contract/errors.ts";
import type { DatasetModel } from "../../../schema/dataset/model.ts";
import { proposeRow } from "../../../schema/dataset/propose.ts";
import { compareSketches, type Sketch, sketchProblem } from "../../../schema/dataset/sketch.ts";
import { checkRows } from "../../registry/artefacts/check-rows.ts";
import { type FoundTarget, readTarget } from "../../validation/targets.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { RegistryError, refusing, requireValue } from "../errors.ts";
import { readDataBody } from "./data-request.ts";
import { textParameter } from "./fields.ts";
import { parseConsistency } from "./records.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

export async function postRowCheck(request: NativeRequest): Promise<Answer> {
  if (readDataBody(request).form !== "lines") {
    throw refusing("UNSUPPORTED_MEDIA_TYPE", "Rows are sent as application/x-ndjson, one JSON value per line.");
  }
  const found = await requireDataset(request);
  const { body } = request.request;
  const chunks = (body ?? new Blob([]).stream()) as unknown as AsyncIterable<Uint8Array>;
  const { rows, invalid, errors, expectations } = requireValue(await checkRows(found, chunks));
  const isMet = expectations.every(({ met, severity }) => met === true || severity === "warning");
  return jsonAnswer<Shape<"CheckedRows">>(
    200,
    { valid: invalid === 0 && isMet, rows, invalid_rows: invalid, errors, expectations },
    provenance(found.asOf, found.source),
  );
}

export async function postDrift(request: NativeRequest): Promise<Answer> {
  const found = await requireDataset(request);
  const { own, root } = found.target.model as DatasetModel;
  const { sketch } = request.body as { sketch: Sketch };
  const impossible = sketchProblem(sketch);
  if (impossible) throw unprocessable(impossible.message, `/sketch${impossible.pointer ?? ""}`);
  if (own.sketch === null) {
    throw unprocessable("The registered version has no sketch to compare with; register one that does.", "/sketch");
  }
  const columns = compareSketches(own.sketch, sketch);
  const worst =
    (["strong", "moderate"] as const).find((level) => columns.some(({ drift }) => drift === level)) ?? "none";
  const row = proposeRow(root, columns, sketch);
  return jsonAnswer<Shape<"Drift">>(
    200,
    { drift: worst, columns, proposed_row: (row ?? null) as Shape<"Drift">["proposed_row"] },
    provenance(found.asOf, found.source),
  );
}

async function requireDataset(request: NativeRequest): Promise<FoundTarget> {
  const { edge, path } = request;
  const version = textParameter(request, "version") ?? "latest";
  const selector = { subject: path.subject!, context: textParameter(request, "context"), version };
  const found = requireValue(await readTarget(edge, selector, parseConsistency(request)));
  if (found.target.format.name === "dataset") return found;
  throw unprocessable(`Subject "${path.subject}" has the format ${found.target.format.name} (expected dataset).`, "");
}

function unprocessable(detail: string, pointer: string): RegistryError {
  return new RegistryError(
    makeRefusal("UNPROCESSABLE", [detail], detail, { items: [{ pointer, rule: "dataset", message: detail }] }),
  );
}
