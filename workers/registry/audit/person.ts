/** Everything that the registry knows of one person: for the person's own copy of it, and before an erasure. */
import type { Refusal } from "../../../contract/errors.ts";
import type { DenialPlace } from "../../../db/denials.ts";
import type { ErasedPerson, KnownPerson } from "../../../durable-objects/directory/protocol.ts";
import { timestamp } from "../../../registry/record-view.ts";
import { ok, type Result } from "../../../schema/result.ts";
import { askDirectory } from "../../access/administration.ts";
import { deniedJson } from "../../access-record/batches.ts";
import type { Edge } from "../../edge.ts";
import { readDenied } from "./denied.ts";

/** Entries, changes or attempts read at once. */
const PAGE = 500;

export function personJson(person: KnownPerson | ErasedPerson) {
  const isKnown = person.erasedAtMs === null;
  return {
    actor: person.pseudonym,
    issuer: isKnown ? person.issuer : null,
    subject: isKnown ? person.subject : null,
    name: isKnown ? person.name : null,
    last_seen_at: isKnown ? timestamp(person.lastSeenAtMs) : null,
    erased_at: isKnown ? null : timestamp(person.erasedAtMs),
  };
}

type Lines = readonly object[];

/** Pages of lines; each is read when it is asked for. A refusal ends them. */
export async function* personLines(
  edge: Edge,
  person: KnownPerson | ErasedPerson,
): AsyncGenerator<Result<Lines, Refusal>> {
  yield ok([{ kind: "person", ...personJson(person) }]);
  yield* grantLines(edge, person);
  yield* entryLines(edge, person.pseudonym);
  yield* changeLines(edge, person.pseudonym);
  if (edge.env.DATABASE_URL) yield* deniedLines(edge, person.pseudonym);
}

async function* grantLines(edge: Edge, person: KnownPerson | ErasedPerson): AsyncGenerator<Result<Lines, Refusal>> {
  if (person.erasedAtMs !== null) return;
  const asked = { tenant: edge.tenant, principal: `user:${person.subject}` };
  const answer = await askDirectory(edge, "grantsOf", asked);
  if (!answer.ok) yield answer;
  else if (answer.value !== null) yield ok([{ kind: "grants", ...answer.value }]);
}

/** With their payloads, which hold what the person wrote; those of hard-deleted schemas are gone. */
async function* entryLines(edge: Edge, actor: string): AsyncGenerator<Result<Lines, Refusal>> {
  for (let after = 0; ; ) {
    const asked = { filter: { actor }, after, limit: PAGE, payloads: true };
    // The client sets the pace, so each page has a deadline of its own.
    const answer = await edge.freshPrimary().read("auditEntries", asked);
    if (!answer.ok) {
      yield answer;
      return;
    }
    const { entries, through, more } = answer.value.value;
    yield ok(
      entries.map(({ seq, atMs, type, subject, requestId, payload }) => ({
        kind: "entry",
        seq,
        at: timestamp(atMs),
        type,
        subject,
        request_id: requestId,
        payload: payload === undefined ? null : (JSON.parse(payload) as unknown),
      })),
    );
    if (!more) return;
    after = through;
  }
}

async function* changeLines(edge: Edge, actor: string): AsyncGenerator<Result<Lines, Refusal>> {
  for (let after = 0; ; ) {
    const answer = await askDirectory(edge, "changesBy", { tenant: edge.tenant, actor, after, limit: PAGE });
    if (!answer.ok) {
      yield answer;
      return;
    }
    yield ok(
      answer.value.map(({ seq, atMs, type, about, requestId }) => ({
        kind: "access-change",
        seq,
        at: timestamp(atMs),
        type,
        about,
        request_id: requestId,
      })),
    );
    const last = answer.value.at(-1);
    if (last === undefined || answer.value.length < PAGE) return;
    after = last.seq;
  }
}

async function* deniedLines(edge: Edge, actor: string): AsyncGenerator<Result<Lines, Refusal>> {
  for (let after: DenialPlace | undefined; ; ) {
    const answer = await readDenied(edge, { filter: { actor }, after, limit: PAGE });
    if (!answer.ok) {
      yield answer;
      return;
    }
    yield ok(answer.value.denials.map((denial) => ({ kind: "denied-attempt", ...deniedJson(denial) })));
    after = answer.value.next;
    if (after === undefined) return;
  }
}
