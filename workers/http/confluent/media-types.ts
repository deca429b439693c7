/** Content negotiation of the Confluent API. */

/** Media types of every answer, most preferred first. */
export const CONFLUENT_MEDIA_TYPES = [
  "application/vnd.schemaregistry.v1+json",
  "application/vnd.schemaregistry+json",
  "application/json",
] as const;

/** Headers the Confluent server sets on every answer. Reads by id and guid set a Cache-Control of their own. */
export const CONFLUENT_HEADERS: Readonly<Record<string, string>> = {
  "Cache-Control": "no-cache, no-store, must-revalidate",
  "X-XSS-Protection": "1; mode=block",
};

const [DEFAULT_MEDIA_TYPE] = CONFLUENT_MEDIA_TYPES;

/** HTTP libraries send octet-stream if no type is set; it is parsed as JSON. */
const REQUEST_MEDIA_TYPES: ReadonlySet<string> = new Set([...CONFLUENT_MEDIA_TYPES, "application/octet-stream"]);

export function isRequestMediaType(contentType: string | null): boolean {
  if (contentType === null || contentType.trim() === "") return true;
  const end = contentType.indexOf(";");
  const mediaType = (end === -1 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
  return REQUEST_MEDIA_TYPES.has(mediaType);
}

/** The types offered at the root: browsers get a redirect. */
export const ROOT_MEDIA_TYPES = [...CONFLUENT_MEDIA_TYPES, "text/html"] as const;

/** Whether the caller accepts HTML and none of the API's media types. */
export function asksForPage(accept: string | null): boolean {
  if (accept === null) return false;
  const named = accept
    .toLowerCase()
    .split(",")
    .map(parseRange)
    .filter(({ quality }) => quality > 0);
  return (
    named.some(({ range }) => range === "text/html") &&
    !named.some(({ range }) => CONFLUENT_MEDIA_TYPES.some((mediaType) => mediaType === range))
  );
}

type Candidate = { mediaType: string; isNamed: boolean; quality: number; preference: number };

/**
 * The media type of an answer: types that the caller names come before wildcards, then the caller's quality decides, then
 * the server's preference. Falls back to the default, because a 406 needs a media type as well.
 */
export function negotiatedMediaType(accept: string | null): string {
  if (accept === null || accept === "*/*" || accept === DEFAULT_MEDIA_TYPE) return DEFAULT_MEDIA_TYPE;
  const ranges = accept.toLowerCase().split(",").map(parseRange);
  const candidates = CONFLUENT_MEDIA_TYPES.flatMap((mediaType, preference): Candidate[] => {
    const named = ranges.find(({ range }) => range === mediaType);
    const wild =
      ranges.find(({ range }) => range === "application/*") ??
      ranges.find(({ range }) => range === "*/*" || range === "*");
    const quality = (named ?? wild)?.quality ?? 0;
    return quality === 0 ? [] : [{ mediaType, isNamed: named !== undefined, quality, preference }];
  });
  const [best] = candidates.sort(
    (a, b) => Number(b.isNamed) - Number(a.isNamed) || b.quality - a.quality || a.preference - b.preference,
  );
  return best?.mediaType ?? DEFAULT_MEDIA_TYPE;
}

function parseRange(text: string): { range: string; quality: number } {
  const [range = "", ...parameters] = text.split(";").map((part) => part.trim());
  const quality = parameters.find((parameter) => parameter.startsWith("q="))?.slice(2);
  return { range, quality: quality === undefined ? 1 : Number(quality) || 0 };
}
