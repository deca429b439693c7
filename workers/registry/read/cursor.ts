/** Opaque cursors, validated like any other input. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";

/** The fields of each list's cursor, in order. */
const SHAPES = {
  records: ["number"],
  subjects: ["string", "string"],
  versions: ["number"],
  exceptions: ["string", "string"],
  report: ["string", "string", "number"],
  deliveries: ["number"],
  reconciliation: ["string", "string", "string"],
} as const;

type CursorList = keyof typeof SHAPES;

export function printCursor(list: CursorList, position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify([list, ...position]), "utf8").toString("base64url");
}

export function parseCursor(list: CursorList, text: string): Result<(string | number)[], Refusal> {
  const position = decoded(text);
  const shape = SHAPES[list];
  if (
    position === undefined ||
    position.length !== shape.length + 1 ||
    position[0] !== list ||
    !shape.every((type, index) => isOfType(position[index + 1], type))
  ) {
    const detail = "The cursor was not issued by this list: use next_cursor from the previous page.";
    return refuse(makeRefusal("BAD_REQUEST", [detail], detail, { items: [{ rule: "cursor", message: detail }] }));
  }
  return ok(position.slice(1) as (string | number)[]);
}

function decoded(text: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
    return Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isOfType(value: unknown, type: "number" | "string"): boolean {
  return type === "number" ? Number.isSafeInteger(value) : typeof value === "string";
}
