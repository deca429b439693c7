/** `npm run docs:histories`: verdicts on consecutive versions of real schemas, and the authors' own semver steps. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suggestBump } from "../schema/bump.ts";
import { type Comparison, type Difference, isCompatible, type Policy } from "../schema/compatibility.ts";
import type { FormatName, ResolvedReference, SchemaFormat } from "../schema/format.ts";
import { formatNamed } from "../schema/formats.ts";
import { bumpBetween, parseSemver } from "../schema/semver.ts";
import { DEFAULT_WITNESS_ATTEMPTS, type Witness } from "../schema/witness.ts";

type HistoryVersion = {
  file: string;
  label: string;
  registers: "yes" | "with_references" | "no";
  needs?: string[];
  same_as?: string;
};
type History = { name: string; format: "JSON" | "AVRO" | "PROTOBUF"; versions: HistoryVersion[] };

type PairVerdict = {
  history: string;
  format: FormatName;
  from: string;
  to: string;
  /** Whether the later version reads what the earlier one wrote, by policy. */
  backward: Record<Policy & ("strict" | "lenient" | "semantic"), boolean | "too complex">;
  forward: boolean | "too complex";
  suggested: string;
  authors: string | null;
  breaking: { difference: Difference; witness: Witness }[];
};

const FORMATS: Record<History["format"], FormatName> = { JSON: "json-schema", AVRO: "avro", PROTOBUF: "protobuf" };
const POLICIES = ["strict", "lenient", "semantic"] as const;

/** Every consecutive pair of which both versions can be parsed. */
export function historyVerdicts(corpus: string): PairVerdict[] {
  const folder = join(corpus, "histories");
  const references: Record<History["format"], readonly ResolvedReference[]> = {
    PROTOBUF: protobufReferences(join(corpus, "deps")),
    JSON: jsonReferences(join(folder, "openlineage-core")),
    AVRO: [],
  };
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const history = JSON.parse(readFileSync(join(folder, name, "meta.json"), "utf8")) as History;
      const format = formatNamed(FORMATS[history.format]);
      const models = history.versions
        .filter(({ same_as }) => same_as === undefined)
        .flatMap(({ file, label }) => {
          const text = readFileSync(join(folder, name, file), "utf8");
          const source = { text, references: references[history.format] };
          const parsed = format.parse(source, { strictness: "new", defaultDialect: "2020-12" });
          return parsed.ok ? [{ label, model: parsed.value.model }] : [];
        });
      return models.slice(1).map((later, index) => verdict(name, format, models[index]!, later));
    });
}

type Version = { label: string; model: unknown };

function verdict(history: string, format: SchemaFormat<unknown>, earlier: Version, later: Version): PairVerdict {
  const compare = (reader: Version, writer: Version, policy: Policy) =>
    format.compare(reader.model, writer.model, { policy, writers: "declared" });
  const semantic = compare(later, earlier, "semantic");
  const forward = compare(earlier, later, "semantic");
  const breaking = differencesOf(semantic).filter(({ severity }) => severity === "breaking");
  const witnesses = format.witnesses(later.model, earlier.model, breaking, {
    seed: 1,
    maxAttempts: DEFAULT_WITNESS_ATTEMPTS,
    writers: "declared",
  });
  const from = semverOf(earlier.label);
  const to = semverOf(later.label);
  return {
    history,
    format: format.name,
    from: shortName(earlier.label),
    to: shortName(later.label),
    backward: Object.fromEntries(
      POLICIES.map((policy) => [policy, compatibility(compare(later, earlier, policy))]),
    ) as PairVerdict["backward"],
    forward: compatibility(forward),
    suggested: suggestBump({ backward: differencesOf(semantic), forward: differencesOf(forward) }, "BACKWARD").bump,
    authors: from && to ? bumpBetween(from, to) : null,
    breaking: breaking.map((difference, index) => ({ difference, witness: witnesses[index]! })),
  };
}

function differencesOf(comparison: Comparison): readonly Difference[] {
  return comparison.ok ? comparison.value.differences : [];
}

function compatibility(comparison: Comparison): boolean | "too complex" {
  return comparison.ok ? isCompatible(comparison.value.differences) : "too complex";
}

/** Authors write 1-0-2, v1.14.0, bom-1.4 or a date; only three numbers count as semver. */
function semverOf(label: string): string | undefined {
  const match = /(?:^|[/v-])(\d+)[.-](\d+)[.-](\d+)(?:$|[/.])/.exec(label);
  return match ? parseSemver(`${match[1]}.${match[2]}.${match[3]}`) : undefined;
}

function shortName(label: string): string {
  const last = label.split("/").filter((part) => /\d/.test(part));
  return (last.at(-1) ?? label).replace(/\.schema\.json$|\.json$|\.proto$/, "").replace(/T.*$/, "");
}

/** Every file is available to every history by its import path. */
function protobufReferences(folder: string): ResolvedReference[] {
  if (!existsSync(folder)) return [];
  const offered: ResolvedReference[] = [];
  for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
    if (!path.endsWith(".proto")) continue;
    offered.push({
      name: path,
      subject: path,
      version: 1,
      source: { text: readFileSync(join(folder, path), "utf8"), references: offered },
    });
  }
  return offered;
}

/** Facets reference versions of the core schema by its `$id`. */
function jsonReferences(folder: string): ResolvedReference[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /^\d+\.json$/.test(file))
    .map((file) => {
      const text = readFileSync(join(folder, file), "utf8");
      const { $id } = JSON.parse(text) as { $id: string };
      return { name: $id, subject: $id, version: 1, source: { text, references: [] } };
    });
}

const MAX_SHOWN_CHARACTERS = 90;

/** Renders the page from the verdicts. */
export function renderHistories(verdicts: readonly PairVerdict[]): string {
  const withSteps = verdicts.filter(({ authors }) => authors !== null);
  const agreeing = withSteps.filter(({ authors, suggested }) => authors === suggested);
  const lines = [
    "# Verdicts on real histories",
    "",
    "Generated by `npm run docs:histories`; a test compares it with the code's current verdicts. Each row is a pair of consecutive published",
    "versions. *strict*, *lenient* and *semantic* say whether the later version can read data of the earlier one (BACKWARD) under that policy,",
    "*forward* whether the earlier one can read data of the later one under semantic. *step* is the semver step suggested at BACKWARD, the",
    "default level; *authors* is the step that the authors took, where both of their versions can be read as semver. The witness is a datum",
    "that the earlier version accepts and the later one rejects.",
    "",
    "The iglu histories use SchemaVer, whose third number counts additions; an addition is a minor step in semver.",
    "",
    `${verdicts.length} pairs. Breaking differences under semantic with a confirmed witness: ${provenByFormat(verdicts)}.`,
    `The authors' step is known for ${withSteps.length} pairs and equals the suggested one for ${agreeing.length} of them.`,
  ];
  for (const history of [...new Set(verdicts.map((pair) => pair.history))]) {
    const pairs = verdicts.filter((pair) => pair.history === history);
    lines.push("", `## ${history} (${pairs[0]!.format})`, "");
    lines.push(
      "| from | to | strict | lenient | semantic | forward | step | authors | first breaking difference, witness |",
    );
    lines.push("|---|---|---|---|---|---|---|---|---|");
    for (const { from, to, backward, forward, suggested, authors, breaking: breaks } of pairs) {
      const verdictCells = [backward.strict, backward.lenient, backward.semantic, forward].map(cell);
      lines.push(`| ${[from, to, ...verdictCells, suggested, authors ?? "", firstBreak(breaks)].join(" | ")} |`);
    }
  }
  return `${lines.join("\n")}\n`;
}

function provenByFormat(verdicts: readonly PairVerdict[]): string {
  return [...new Set(verdicts.map(({ format }) => format))]
    .map((format) => {
      const breaks = verdicts.filter((pair) => pair.format === format).flatMap(({ breaking }) => breaking);
      const proven = breaks.filter(({ witness }) => witness.status === "confirmed");
      return `${format} ${proven.length} of ${breaks.length}`;
    })
    .join(", ");
}

function cell(compatible: boolean | "too complex"): string {
  return compatible === "too complex" ? compatible : compatible ? "yes" : "**no**";
}

function firstBreak(breaks: PairVerdict["breaking"]): string {
  const shown = breaks.find(({ witness }) => witness.status === "confirmed") ?? breaks[0];
  if (!shown) return "";
  const { difference, witness } = shown;
  const place = difference.reader_pointer ?? difference.writer_pointer ?? "";
  const datum = witness.status === "confirmed" ? `, \`${cut(JSON.stringify(witness.datum))}\`` : "";
  return `${difference.kind} at \`${cut(place === "" ? "/" : place)}\`${datum}`;
}

function cut(text: string): string {
  const plain = text.replaceAll("|", "\\|").replaceAll("`", "'");
  return plain.length <= MAX_SHOWN_CHARACTERS ? plain : `${plain.slice(0, MAX_SHOWN_CHARACTERS)}…`;
}
