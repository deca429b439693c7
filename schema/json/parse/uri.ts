/**
 * URI references as strings (RFC 3986 §5.2), tolerant: any text is split somehow, and a base may be relative or empty.
 */

/** Longer than any URL in use, short enough that resolving one for every reference of a large schema is cheap. */
export const MAX_URI_CHARACTERS = 2_048;

type UriParts = {
  scheme: string | undefined;
  authority: string | undefined;
  path: string;
  query: string | undefined;
};

/** The part before the first `#`, and the fragment after it; null if there is no `#`. */
export function splitFragment(reference: string): { url: string; fragment: string | null } {
  const hash = reference.indexOf("#");
  return hash === -1
    ? { url: reference, fragment: null }
    : { url: reference.slice(0, hash), fragment: reference.slice(hash + 1) };
}

/** A reference without fragment, resolved against a base without fragment. */
export function resolveUri(base: string, reference: string): string {
  if (reference === "") return base;
  const ref = splitUri(reference);
  if (ref.scheme !== undefined) return joinUri({ ...ref, path: removeDotSegments(ref.path) });
  const from = splitUri(base);
  if (ref.authority !== undefined) {
    return joinUri({ ...ref, scheme: from.scheme, path: removeDotSegments(ref.path) });
  }
  if (ref.path === "") return joinUri({ ...from, query: ref.query ?? from.query });
  return joinUri({ ...from, path: mergePaths(from, ref.path), query: ref.query });
}

const URI = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?]*))?([^?]*)(?:\?(.*))?$/s;

function splitUri(text: string): UriParts {
  const [, scheme, authority, path = "", query] = URI.exec(text) ?? [];
  return { scheme, authority, path, query };
}

function joinUri({ scheme, authority, path, query }: UriParts): string {
  return (
    (scheme === undefined ? "" : `${scheme}:`) +
    (authority === undefined ? "" : `//${authority}`) +
    path +
    (query === undefined ? "" : `?${query}`)
  );
}

function mergePaths(base: UriParts, path: string): string {
  if (path.startsWith("/")) return removeDotSegments(path);
  if (base.authority !== undefined && base.path === "") return removeDotSegments(`/${path}`);
  return removeDotSegments(base.path.slice(0, base.path.lastIndexOf("/") + 1) + path);
}

function removeDotSegments(path: string): string {
  if (!path.includes(".")) return path;
  const absolute = path.startsWith("/");
  const segments = (absolute ? path.slice(1) : path).split("/");
  const kept: string[] = [];
  segments.forEach((segment, index) => {
    const isLast = index === segments.length - 1;
    if (segment === "..") kept.pop();
    else if (segment !== ".") kept.push(segment);
    // A trailing dot segment denotes a folder, so the slash is kept.
    if (isLast && (segment === "." || segment === "..") && kept.length > 0) kept.push("");
  });
  return (absolute ? "/" : "") + kept.join("/");
}
