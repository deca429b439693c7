/** Converts grants, keys and times of the access API between the contract's names and the registry's. */
import { makeRefusal } from "../../../contract/errors.ts";
import type { Grant } from "../../../registry/grant.ts";
import { timestamp } from "../../../registry/record-view.ts";
import type { Administrator } from "../../access/administration.ts";
import { RegistryError } from "../errors.ts";
import { idempotencyKey, textParameter } from "./fields.ts";
import type { NativeRequest } from "./request.ts";
import { parseTime } from "./rule-books.ts";
import type { Shape } from "./shapes.ts";

export function toAdministrator(request: NativeRequest): Administrator {
  const { edge, actor, caller } = request;
  return { edge, actor, caller, idempotencyKey: idempotencyKey(request).idempotencyKey };
}

export function parseGrants(fields: readonly Shape<"Grant">[]): Grant[] {
  return fields.map(({ role, context, subject, subject_prefix: prefix, states, condition }, index) => {
    if (subject !== undefined && prefix !== undefined) {
      throw wrong(
        `/grants/${index}/subject_prefix`,
        "subject and subject_prefix exclude each other: send one of them.",
      );
    }
    if (context !== undefined && !context.startsWith(".")) {
      throw wrong(`/grants/${index}/context`, `A context must start with a dot, such as ".orders", got "${context}".`);
    }
    return {
      role,
      context: context ?? null,
      subject: subject !== undefined ? { exact: subject } : prefix !== undefined ? { prefix } : null,
      states: states ?? null,
      condition: condition ?? null,
    };
  });
}

export function grantJson({ role, context, subject, states, condition }: Grant): Shape<"Grant"> {
  return {
    role,
    ...(context === null ? {} : { context }),
    ...(subject === null ? {} : "exact" in subject ? { subject: subject.exact } : { subject_prefix: subject.prefix }),
    ...(states === null ? {} : { states }),
    ...(condition === null ? {} : { condition }),
  };
}

export function timeOrNull(atMs: number | null): string | null {
  return atMs === null ? null : timestamp(atMs);
}

export function parseExpiry(text: string | null): number | null {
  return text === null ? null : parseTime(text, "/expires_at");
}

/** The items of a page, and the cursor that continues it: the last item's name. */
export function pageJson<T>(items: readonly T[], limit: number, nameOf: (item: T) => string) {
  const last = items.at(-1);
  return items.length < limit || last === undefined ? {} : { next_cursor: nameOf(last) };
}

export function parseListPage(request: NativeRequest): { after: string; limit: number } {
  return { after: textParameter(request, "cursor") ?? "", limit: request.query.limit as number };
}

function wrong(pointer: string, detail: string): RegistryError {
  return new RegistryError(
    makeRefusal("BAD_REQUEST", [detail], detail, { items: [{ pointer, rule: "grant", message: detail }] }),
  );
}
