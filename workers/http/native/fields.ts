/** Converts fields of validated request bodies from the contract's names to the use cases' types. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import type { Attributes, RequestedReference } from "../../../registry/record.ts";
import type { FormatName } from "../../../schema/format.ts";
import type { JsonNode, JsonObject } from "../../../schema/json-text.ts";
import type { Result } from "../../../schema/result.ts";
import type { DataContract, RuleSet, RuleSetRule } from "../../../schema/rules/data-contract.ts";
import { type ContentText, contentText, inCallersText } from "../../registry/read/content-text.ts";
import { RegistryError, requireValue } from "../errors.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

export type ReferenceField = Shape<"RequestedReferences">[number];
type DataContractField = Shape<"Contract">;
type RuleField = NonNullable<NonNullable<DataContractField["rule_set"]>["domain_rules"]>[number];

/** `latest` is sent to the primary as −1, which answers with the resolved number. */
export function requestedReferences(references: readonly ReferenceField[] = []): RequestedReference[] {
  return references.map(({ name, subject, version }) => ({
    name,
    subject,
    version: version === "latest" ? -1 : version,
  }));
}

export function requestedDataContract(contract: DataContractField | undefined): DataContract {
  const { metadata = null, rule_set: rules } = contract ?? {};
  if (rules === undefined) return { metadata, ruleSet: null };
  const ruleSet: RuleSet = {
    ...(rules.migration_rules ? { migrationRules: rules.migration_rules.map(toRuleSetRule) } : {}),
    ...(rules.domain_rules ? { domainRules: rules.domain_rules.map(toRuleSetRule) } : {}),
    ...(rules.encoding_rules ? { encodingRules: rules.encoding_rules.map(toRuleSetRule) } : {}),
    ...(rules.enable_at ? { enableAt: rules.enable_at } : {}),
  };
  return { metadata, ruleSet };
}

function toRuleSetRule({ on_success, on_failure, tags, ...rule }: RuleField): RuleSetRule {
  return {
    ...rule,
    ...(tags === undefined ? {} : { tags: [...tags] }),
    ...(on_success === undefined ? {} : { onSuccess: on_success }),
    ...(on_failure === undefined ? {} : { onFailure: on_failure }),
  };
}

const ATTRIBUTES = ["description", "tags", "owner", "metadata", "role"] as const;

/** The record attributes present in the body. */
export function requestedAttributes(body: Partial<Attributes>): Partial<Attributes> {
  return Object.fromEntries(ATTRIBUTES.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]));
}

/** The content of an object: its `content`, or its alias `schema`. `place` is the object's own pointer. */
export function contentNode(tree: JsonObject, place = ""): JsonNode {
  const content = tree.members.get("content");
  const schema = tree.members.get("schema");
  const node = content ?? schema;
  if (node !== undefined && (content === undefined || schema === undefined)) return node;
  const detail =
    node === undefined
      ? 'The schema is missing: send it as "content".'
      : '"content" and "schema" mean the same; send one of them.';
  const items = [{ pointer: node === undefined ? place : `${place}/schema`, rule: "content", message: detail }];
  throw new RegistryError(makeRefusal("BAD_REQUEST", [detail], detail, { items }));
}

/** The text of an object's content. */
export function printContentText(format: FormatName, tree: JsonObject, place = ""): ContentText {
  return requireValue(contentText(format, contentNode(tree, place)));
}

/** Returns the value, or throws its refusal with pointers into the request. */
export function requireInCallersText<Value>(result: Result<Value, Refusal>, text: ContentText): Value {
  if (result.ok) return result.value;
  const { refusal } = result;
  const { items } = refusal;
  throw new RegistryError(items ? { ...refusal, items: inCallersText(items, text) } : refusal);
}

const ETAG = /^"(\d{1,15})"$/;

/** The seq that `If-Match` requires, null for `*`. */
export function ifMatchSeq({ header }: NativeRequest): number | null {
  const given = header["If-Match"];
  if (typeof given !== "string" || given.trim() === "*") return null;
  const match = ETAG.exec(given.trim());
  if (match) return Number(match[1]);
  const detail = 'If-Match must be one strong ETag from a record response, such as "17".';
  throw new RegistryError(
    makeRefusal("BAD_REQUEST", [detail], detail, { items: [{ rule: "If-Match", message: detail }] }),
  );
}

export function idempotencyKey({ header }: NativeRequest): { idempotencyKey?: string } {
  const key = header["Idempotency-Key"];
  return typeof key === "string" ? { idempotencyKey: key } : {};
}

/** A string query parameter, or undefined. */
export function textParameter({ query }: NativeRequest, name: string): string | undefined {
  const value = query[name];
  return typeof value === "string" ? value : undefined;
}
