/** Search in the read model. Responses carry the token of the state that the read model has reached. */

import { makeRefusal, type Refusal } from "../../../contract/errors.ts";
import { DatabaseUnreachable } from "../../../db/client.ts";
import type { SearchScope } from "../../../db/search/terms.ts";
import { type SearchPage, type SearchRequest, searchVersions } from "../../../db/search.ts";
import type { AsOf } from "../../../registry/log-entry.ts";
import { ok, type Result, refuse } from "../../../schema/result.ts";
import type { Edge } from "../../edge.ts";
import { notReached, recordSatisfies } from "../../read-path/token.ts";
import { parseContext } from "../read/subject-names.ts";

const RETRY_AFTER_SECONDS = 2;

export type SearchQuery = Omit<SearchRequest, "versions"> & {
  versions: "latest" | "all" | undefined;
  /** The state the caller has seen. */
  token: AsOf | undefined;
};

export type Searched = { page: SearchPage; asOf: AsOf };

/** Pointers to query and cursor in the request body, for error messages. */
export type Places = { query?: string; cursor?: string };

export async function search(
  edge: Edge,
  { token, context: contextText, versions, ...query }: SearchQuery,
  places: Places,
): Promise<Result<Searched, Refusal>> {
  const context = contextText === undefined ? undefined : parseContext(contextText);
  if (context?.ok === false) return context;
  const request: SearchRequest = {
    ...query,
    context: context?.value,
    // A caller that filters by state wants more than `latest`, which is never a draft.
    versions: versions ?? (query.states === undefined ? "latest" : "all"),
  };
  const within = edge.access?.scopes("schema:read");
  // No part contains a missing name; a part without a name contains every name.
  if (within !== undefined) request.within = within.length > 0 ? within.map(toSearchScope) : [NOWHERE];
  let found: Awaited<ReturnType<typeof searchVersions>>;
  try {
    found = await searchVersions(edge.env, edge.tenant, request);
  } catch (error) {
    if (!(error instanceof DatabaseUnreachable)) throw error;
    if (error.reason === "not_configured") {
      const detail =
        "This deployment has no read model (DATABASE_URL is not set), so there is no search. Everything else works without it.";
      return refuse(makeRefusal("NOT_CONFIGURED", [detail], detail));
    }
    return refuse(
      notReady(
        "Search is unavailable: the read model's Postgres is currently unreachable or still starting. Everything else works without it.",
      ),
    );
  }
  if (found.outcome === "rebuilding") return refuse(notReady("Search is unavailable while the read model is rebuilt."));
  if (found.outcome === "bad_cursor") {
    return refuse(
      wrong(
        places.cursor,
        "cursor",
        "The cursor was not issued by this search: use next_cursor from the previous page with the same query and filters.",
      ),
    );
  }
  if (found.outcome === "no_words") {
    return refuse(
      wrong(places.query, "query", "The query contains neither a letter nor a digit; omit it to list by filters."),
    );
  }
  const { epoch, seq } = found.page.asOf;
  // The read model does not store the last hard delete, so the token assumes the latest possible.
  const asOf = { epoch, seq, lastHardDelete: seq };
  if (token !== undefined && !recordSatisfies(asOf, token)) {
    const head = await edge.primary.read("head", {});
    if (!head.ok) return head;
    if (!recordSatisfies(head.value.asOf, token)) return refuse(notReached(token, head.value.asOf));
    return refuse(
      notReady(
        `The read model is at ${epoch}.${seq}, behind the state that X-Registry-Min-Seq requires. Retry in a moment.`,
      ),
    );
  }
  const { access } = edge;
  if (access === undefined) return ok({ page: found.page, asOf });
  const items = found.page.items.filter(({ record }) => access.mayRead(record));
  // The read model knows no conditions, so its total may count what one of them hides.
  const isCounted = within?.every(({ condition }) => condition === null) ?? true;
  const counted = isCounted ? {} : { total: items.length, totalRelation: "gte" as const };
  return ok({ page: { ...found.page, items, ...counted }, asOf });
}

/** No subject has an empty name. */
const NOWHERE: SearchScope = { context: null, subject: { exact: "" }, states: null };

function toSearchScope({ context, subject, states }: SearchScope): SearchScope {
  return { context, subject, states };
}

function notReady(detail: string): Refusal {
  return makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: RETRY_AFTER_SECONDS });
}

function wrong(pointer: string | undefined, rule: string, detail: string): Refusal {
  return makeRefusal("BAD_REQUEST", [detail], detail, {
    items: [{ ...(pointer === undefined ? {} : { pointer }), rule, message: detail }],
  });
}
