/** Parses the attributes shared by types and fields: name, doc, aliases, order and custom properties. */
import type { JsonNode, JsonObject } from "../../json-text.ts";
import { type AvroField, type AvroName, type AvroProperties, NO_PROPERTIES, PRIMITIVE_KINDS } from "../model.ts";
import { isValidNamespace, isValidSimpleName, splitName } from "../names.ts";
import { type ProblemLog, quote } from "./problems.ts";

export const PRIMITIVE_NAMES: ReadonlySet<string> = new Set(PRIMITIVE_KINDS);

/** Attributes with a defined meaning, or dropped; all others are kept as custom properties. */
export const SCHEMA_RESERVED: ReadonlySet<string> = new Set([
  ...["doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"],
]);
export const ENUM_RESERVED: ReadonlySet<string> = new Set([...SCHEMA_RESERVED, "default"]);
export const FIELD_RESERVED: ReadonlySet<string> = new Set(["default", "doc", "name", "order", "type", "aliases"]);
const ORDERS = ["ascending", "descending", "ignore"] as const;

export const NAME_RULE = "it must start with a letter or _, followed by letters, digits or _ (A-Z, a-z, 0-9).";

/** Reads attributes and logs their problems. Names are checked in new schemas only. */
export class AttributeReader {
  readonly #log: ProblemLog;
  readonly #isNew: boolean;

  constructor(log: ProblemLog, isNew: boolean) {
    this.#log = log;
    this.#isNew = isNew;
  }

  order(node: JsonObject, pointer: string): AvroField["order"] {
    const orderNode = node.members.get("order");
    if (orderNode === undefined) return "ascending";
    const order = ORDERS.find((known) => orderNode.type === "string" && known === orderNode.value.toLowerCase());
    if (order !== undefined) return order;
    this.#log.problem("invalid_order", `"order" must be one of ${ORDERS.join(", ")}.`, orderNode, `${pointer}/order`);
    return "ascending";
  }

  name(node: JsonObject, pointer: string, enclosing: string): AvroName {
    const nameNode = node.members.get("name");
    if (nameNode?.type !== "string") {
      this.#log.problem(
        "missing_name",
        'A record, enum or fixed needs a "name" that is a string.',
        nameNode ?? node,
        nameNode === undefined ? pointer : `${pointer}/name`,
      );
      return splitName("", enclosing);
    }
    const namespaceNode = node.members.get("namespace");
    if (namespaceNode !== undefined && namespaceNode.type !== "string" && namespaceNode.type !== "null") {
      this.#log.warning(
        "ignored_attribute",
        '"namespace" is ignored: it must be a string.',
        namespaceNode,
        `${pointer}/namespace`,
      );
    }
    const name = splitName(nameNode.value, namespaceNode?.type === "string" ? namespaceNode.value : enclosing);
    if (PRIMITIVE_NAMES.has(name.full)) {
      this.#log.problem(
        "invalid_name",
        `A type may not be named after the primitive type ${name.full}.`,
        nameNode,
        `${pointer}/name`,
      );
    } else if (this.#isNew && !isValidSimpleName(name.simple)) {
      this.#log.problem(
        "invalid_name",
        `Name ${quote(name.simple)} is invalid: ${NAME_RULE}`,
        nameNode,
        `${pointer}/name`,
      );
    } else if (this.#isNew && !isValidNamespace(name.namespace)) {
      const inName = nameNode.value.includes(".");
      this.#log.problem(
        "invalid_namespace",
        `Namespace ${quote(name.namespace)} is invalid: each part between dots ${NAME_RULE.replace("it ", "")}`,
        inName ? nameNode : (namespaceNode ?? nameNode),
        inName || namespaceNode === undefined ? `${pointer}/name` : `${pointer}/namespace`,
      );
    }
    return name;
  }

  documentation(node: JsonObject, pointer: string): string | null {
    const documentation = node.members.get("doc");
    if (documentation === undefined || documentation.type === "null") return null;
    if (documentation.type === "string") return documentation.value;
    this.#log.warning("ignored_attribute", '"doc" is ignored: it must be a string.', documentation, `${pointer}/doc`);
    return null;
  }

  /** The aliases of the named type `owner`, or of a field if `owner` is null. */
  aliases(node: JsonObject, pointer: string, owner: AvroName | null): string[] {
    const aliasesNode = node.members.get("aliases");
    if (aliasesNode === undefined) return [];
    const at = `${pointer}/aliases`;
    if (aliasesNode.type !== "array") {
      this.#log.problem("invalid_aliases", '"aliases" must be an array of strings.', aliasesNode, at);
      return [];
    }
    const aliases = new Set<string>();
    aliasesNode.items.forEach((item, index) => {
      if (item.type !== "string") {
        this.#log.problem("invalid_aliases", "An alias must be a string.", item, `${at}/${index}`);
        return;
      }
      this.#checkAlias(item.value, owner === null, item, `${at}/${index}`);
      aliases.add(owner === null ? item.value : splitName(item.value, owner.namespace).full);
    });
    return [...aliases];
  }

  /** Invalid field aliases only warn: they are often names from a non-Avro source, and harmless. */
  #checkAlias(alias: string, isField: boolean, node: JsonNode, pointer: string): void {
    if (!this.#isNew) return;
    const { simple, namespace } = splitName(alias, "");
    if (isField ? isValidSimpleName(alias) : isValidSimpleName(simple) && isValidNamespace(namespace)) return;
    const message = `Alias ${quote(alias)} is not a valid name: ${NAME_RULE}`;
    if (isField) this.#log.warning("invalid_alias", message, node, pointer);
    else this.#log.problem("invalid_alias", message, node, pointer);
  }
}

/** The custom properties: all attributes not in `reserved`. */
export function readProperties(node: JsonObject, reserved: ReadonlySet<string>): AvroProperties {
  let own: Map<string, JsonNode> | undefined;
  for (const [key, member] of node.members) {
    if (reserved.has(key)) continue;
    own ??= new Map();
    own.set(key, member);
  }
  return own ?? NO_PROPERTIES;
}
