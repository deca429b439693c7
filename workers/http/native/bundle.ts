/** `/compatibility/bundle`: checks new schemas of several subjects together. */
import type { JsonArray, JsonObject } from "../../../schema/json-text.ts";
import {
  type BundleItem,
  type BundleSchema,
  checkBundle,
  type ReferringItem,
} from "../../registry/compatibility/bundle.ts";
import type { BundleReference } from "../../registry/compatibility/bundle-members.ts";
import type { BundleVerdict } from "../../registry/compatibility/bundle-verdict.ts";
import { contentText } from "../../registry/read/content-text.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import { requireValue } from "../errors.ts";
import { suggestionJson } from "./compatibility.ts";
import { contentNode, requestedDataContract } from "./fields.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

export async function postBundle(request: NativeRequest): Promise<Answer> {
  const { edge } = request;
  const { schemas, level, policy, writers, role, witnesses = false } = request.body as Shape<"Bundle">;
  const trees = request.tree!.members.get("schemas") as JsonArray;
  const result = requireValue(
    await checkBundle(edge, {
      schemas: schemas.map((schema, index) =>
        toBundleSchema(schema, trees.items[index] as JsonObject, `/schemas/${index}`),
      ),
      level,
      policy,
      writers,
      role,
      witnesses,
    }),
  );
  const { compatible, items, referring, asOf } = result;
  return jsonAnswer(
    200,
    { compatible, schemas: items.map(itemJson), referencing: referring.map(referringJson) },
    provenance(asOf, "primary"),
  );
}

function toBundleSchema(
  { subject, context, name, format, dialect, references = [], contract }: Shape<"Bundle">["schemas"][0],
  tree: JsonObject,
  place: string,
): BundleSchema {
  const content = contentNode(tree, place);
  return {
    subject,
    context,
    name,
    format,
    dialect,
    textFor: (known) => contentText(known, content),
    references: references.map(
      ({ name: called, subject: of, version }): BundleReference => ({ name: called, subject: of, version }),
    ),
    contract: requestedDataContract(contract),
  };
}

function itemJson(item: BundleItem) {
  return {
    ...item.name,
    format: item.format,
    ...verdictJson(item),
    compared_versions: item.comparedVersions.map(({ record, compatible }) => ({
      version: record.semver,
      version_number: record.versionNumber,
      id: record.id,
      compatible,
    })),
    ...suggestionJson(item.suggestion),
  };
}

function referringJson(item: ReferringItem) {
  const { record, through } = item;
  return {
    subject: record.subject,
    context: record.context,
    version: record.semver,
    version_number: record.versionNumber,
    id: record.id,
    through,
    ...verdictJson(item),
  };
}

function verdictJson({
  compatible,
  level,
  policy,
  writers,
  role,
  errors,
  undecided,
  differences,
  omitted,
}: BundleVerdict) {
  return {
    compatible,
    level,
    policy,
    writers,
    role,
    errors,
    ...(undecided === null ? {} : { problem: undecided }),
    differences,
    ...(omitted === 0 ? {} : { omitted_differences: omitted }),
  };
}
