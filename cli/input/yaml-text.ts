/** YAML as its authors write schemas and OpenAPI documents: JSON text for the parsers, positions of the YAML for people. */
import { isNode, LineCounter, parseDocument } from "yaml";
import { UsageError } from "../usage-error.ts";
import type { Locate } from "./locate.ts";

export function readYaml(place: string, text: string): { json: string; locate: (base: string) => Locate } {
  const lines = new LineCounter();
  // Merge keys and aliases are resolved; a bound on aliases keeps a small file from becoming a huge value.
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const [problem] = document.errors;
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    throw new UsageError(`${place}:${line}:${col}: ${problem.message.split("\n")[0]}`);
  }
  const json = JSON.stringify(document.toJS({ maxAliasCount: 100 }));
  if (json === undefined) throw new UsageError(`${place} is empty.`);
  const locate =
    (base: string): Locate =>
    (pointer) => {
      const path = (base + pointer.replace(/^#/, "")).split("/").slice(1).map(unescapeToken);
      for (; ; path.pop()) {
        const node = path.length === 0 ? document.contents : document.getIn(path, true);
        if (isNode(node) && node.range) {
          const { line, col } = lines.linePos(node.range[0]);
          return { line, column: col };
        }
        if (path.length === 0) return undefined;
      }
    };
  return { json, locate };
}

function unescapeToken(token: string): string | number {
  const plain = token.replaceAll("~1", "/").replaceAll("~0", "~");
  return /^(?:0|[1-9]\d*)$/.test(plain) ? Number(plain) : plain;
}
