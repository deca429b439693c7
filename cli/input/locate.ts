/** From a pointer of a difference to the line and column where its author wrote it. */
import { nodeAtPointer, parseJsonText, positionAt, unescapePointerToken } from "../../schema/json-text.ts";

export type Position = { line: number; column: number };

/** The position of a pointer in a source text; undefined where the pointer is of another file. */
export type Locate = (pointer: string) => Position | undefined;

/** `base`: where in the document the schema is. The place of a missing member is that of the nearest one around it. */
export function locateInJson(text: string, base = ""): Locate {
  const parsed = parseJsonText(text, { allowComments: true });
  if (!parsed.ok) return () => undefined;
  const { root } = parsed.value;
  return (pointer) => {
    for (let place = base + bare(pointer); ; place = place.slice(0, place.lastIndexOf("/"))) {
      const node = nodeAtPointer(root, place);
      if (node !== undefined) return positionAt(text, node.start);
      if (place === "") return undefined;
    }
  };
}

/** Messages by name, fields by number or name, as differences of Protobuf schemas point: `#/User/Address/2`. */
export function locateInProtobuf(text: string): Locate {
  const code = blankComments(text);
  return (pointer) => {
    let scope = { from: 0, to: code.length };
    let found = 0;
    for (const raw of bare(pointer).split("/").slice(1)) {
      const token = unescapePointerToken(raw);
      const block = findBlock(code, token, scope);
      if (block !== undefined) {
        found = block.at;
        scope = block;
        continue;
      }
      const at = findStatement(code, token, scope);
      if (at === undefined) break;
      found = at;
    }
    return positionAt(text, found);
  };
}

function bare(pointer: string): string {
  return pointer.startsWith("#") ? pointer.slice(1) : pointer;
}

/** Comments and strings as spaces, so that offsets stay and braces in them do not count. */
function blankComments(text: string): string {
  return text.replace(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (part) =>
    part.replace(/[^\n]/g, " "),
  );
}

type Scope = { from: number; to: number };

function findBlock(code: string, name: string, scope: Scope): (Scope & { at: number }) | undefined {
  const local = name.slice(name.lastIndexOf(".") + 1);
  const opening = new RegExp(
    `\\b(?:message|enum|service|group|oneof|extend|rpc)\\s+${escapeRegExp(local)}\\b[^;{]*\\{`,
    "g",
  );
  opening.lastIndex = scope.from;
  const match = opening.exec(code);
  if (match === null || match.index >= scope.to) return undefined;
  const from = match.index + match[0].length;
  let depth = 1;
  let to = from;
  for (; to < scope.to && depth > 0; to += 1) {
    if (code[to] === "{") depth += 1;
    else if (code[to] === "}") depth -= 1;
  }
  return { at: match.index, from, to };
}

function findStatement(code: string, token: string, scope: Scope): number | undefined {
  const pattern = /^-?\d+$/.test(token)
    ? new RegExp(`[^;{}\\s][^;{}]*=\\s*${token}\\s*(?:;|\\[)`, "g")
    : new RegExp(`(?<=[;{}\\s])(?:[^;{}\\s][^;{}]*\\s)?${escapeRegExp(token)}\\b[^;{}]*;`, "g");
  pattern.lastIndex = scope.from;
  const match = pattern.exec(code);
  return match === null || match.index >= scope.to ? undefined : match.index;
}

function escapeRegExp(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
