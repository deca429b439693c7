/** `/search`: the same by GET, for links and humans, and by POST, for programs. */

import { DEFAULT_SEARCH_LIMIT } from "../../../db/search.ts";
import { recordView } from "../../../registry/record-view.ts";
import { printToken } from "../../read-path/token.ts";
import { type Places, type Searched, type SearchQuery, search } from "../../registry/read-model/search.ts";
import { type Answer, jsonAnswer } from "../answer.ts";
import { requireValue } from "../errors.ts";
import { textParameter } from "./fields.ts";
import type { NativeRequest } from "./request.ts";

type OneOrMore = string | readonly string[];
type SearchBody = {
  query?: string;
  filters?: {
    format?: OneOrMore;
    state?: OneOrMore;
    tag?: OneOrMore;
    owner?: string;
    subject_prefix?: string;
    context?: string;
    role?: string;
    versions?: "latest" | "all";
  };
  limit?: number;
  cursor?: string;
};

export function searchByBody(request: NativeRequest): Promise<Answer> {
  const { query = "", filters = {}, limit = DEFAULT_SEARCH_LIMIT, cursor } = request.body as SearchBody;
  return answerSearch(
    request,
    {
      query,
      formats: toList(filters.format),
      states: toList(filters.state),
      tags: toList(filters.tag),
      owner: filters.owner,
      subjectPrefix: filters.subject_prefix,
      context: filters.context,
      role: filters.role,
      versions: filters.versions,
      limit,
      cursor,
      token: request.token,
    },
    { query: "/query", cursor: "/cursor" },
  );
}

export function searchByQuery(request: NativeRequest): Promise<Answer> {
  const given = (name: string) => textParameter(request, name);
  return answerSearch(
    request,
    {
      query: given("q") ?? "",
      formats: toList(given("format")),
      states: toList(given("state")),
      tags: toList(given("tag")),
      owner: given("owner"),
      subjectPrefix: given("subject_prefix"),
      context: given("context"),
      role: given("role"),
      versions: given("versions") as SearchQuery["versions"],
      limit: request.query.limit as number,
      cursor: given("cursor"),
      token: request.token,
    },
    {},
  );
}

async function answerSearch(request: NativeRequest, query: SearchQuery, places: Places): Promise<Answer> {
  const { edge } = request;
  const { page, asOf } = requireValue<Searched>(await search(edge, query, places));
  const { items, nextCursor, total, totalRelation, match, corrections } = page;
  return jsonAnswer(
    200,
    {
      items: items.map(({ record, score, highlights }) => ({ record: recordView(record), score, highlights })),
      ...(nextCursor === undefined ? {} : { next_cursor: nextCursor }),
      total,
      total_relation: totalRelation,
      match,
      ...(corrections.length === 0 ? {} : { corrections }),
      as_of: page.asOf.seq,
    },
    { "X-Registry-Seq": printToken(asOf) },
  );
}

function toList(value: OneOrMore | undefined): readonly string[] | undefined {
  return typeof value === "string" ? [value] : value;
}
