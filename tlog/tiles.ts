/** Tiles of the tree (https://c2sp.org/tlog-tiles): 256 consecutive hashes of every eighth level, or the entries below them. */

export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 2 ** TILE_HEIGHT;

/** `level` in tiles, 0 for the leaves. `width` below 256: a partial tile. */
type Tile = { level: number | "entries"; index: number; width: number };

const MAX_TILE_LEVEL = 6;

/** `0/x001/x234/067.p/5`, as it follows `tile/`; undefined if it is not the canonical path of a tile. */
export function parseTilePath(path: string): Tile | undefined {
  const match = /^(entries|\d)\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path);
  if (!match) return undefined;
  const [, level, groups, partial] = match as unknown as [string, string, string, string | undefined];
  if (groups.startsWith("x000")) return undefined;
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  if (width >= TILE_WIDTH && partial !== undefined) return undefined;
  const parsed = level === "entries" ? level : Number(level);
  if (parsed !== "entries" && parsed >= MAX_TILE_LEVEL) return undefined;
  return { level: parsed, index: Number(groups.replaceAll(/[x/]/g, "")), width };
}
