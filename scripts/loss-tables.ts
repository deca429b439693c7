/** Run with `npm run docs:histories`: generates the tables of docs/compatibility.md from the code. */
import {
  LOSSES as AVRO_LOSSES,
  LOGICAL_TYPE_ADDED,
  LOGICAL_TYPE_REMOVED,
  LOSSY_PROMOTIONS,
} from "../schema/avro/compare/semantic/losses.ts";
import { CONFLUENT_KINDS, isBreaking } from "../schema/json/compare/confluent/kinds.ts";
import { LOSSES } from "../schema/protobuf/compare/semantic/losses.ts";

/** Each table with its pair of markers. */
function lossTables(): Record<"avro-losses" | "protobuf-losses" | "json-kinds", string> {
  return { "avro-losses": avroTable(), "protobuf-losses": protobufTable(), "json-kinds": jsonTable() };
}

/** A page with its marked tables replaced. */
export function withLossTables(page: string): string {
  return Object.entries(lossTables()).reduce((text, [name, table]) => {
    const block = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- /${name} -->)`);
    if (!block.test(text)) throw new Error(`The page has no table marked ${name}.`);
    return text.replace(block, (_, open: string, close: string) => `${open}${table}${close}`);
  }, page);
}

function avroTable(): string {
  const rows = [
    ...Object.entries(LOSSY_PROMOTIONS).map(([pair, loss]) => [
      `${loss.kind} (${pair.replace(">", " → ")})`,
      loss.severity,
      loss.fix,
    ]),
    ...Object.entries(AVRO_LOSSES).map(([kind, { severity, fix }]) => [kind, severity, fix]),
    ...Object.entries(LOGICAL_TYPE_ADDED).map(([type, severity]) => [`LOGICAL_TYPE_ADDED (${type})`, severity, ""]),
    ...Object.entries(LOGICAL_TYPE_REMOVED).map(([type, severity]) => [`LOGICAL_TYPE_REMOVED (${type})`, severity, ""]),
  ];
  return table(["kind", "severity", "what would make it compatible"], rows);
}

function protobufTable(): string {
  const rows = Object.entries(LOSSES).map(([kind, loss]) => {
    const { severity, reason, any } = loss as { severity: string; reason: string; any?: string };
    return [kind, any === undefined ? severity : `${severity}; ${any} if writers are \`any\``, reason];
  });
  return table(["kind", "severity", "what happens to the data"], rows);
}

function jsonTable(): string {
  const rows = CONFLUENT_KINDS.map((kind) => [
    kind,
    shown(isBreaking(kind, "strict")),
    shown(isBreaking(kind, "lenient")),
  ]);
  return table(["kind", "strict", "lenient"], rows);
}

function shown(breaking: boolean): string {
  return breaking ? "breaking" : "compatible";
}

function table(head: string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("");
}
