import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ROOT } from "../../scripts/install.mjs";
import type { BenchPart } from "../part.ts";
import { registerNth } from "../schemas.ts";
import { type Server, startRegistry } from "../servers.ts";

/** The storage limit of a Durable Object (https://developers.cloudflare.com/durable-objects/platform/limits/). */
const OBJECT_BYTES = 10 * 1_000 ** 3;
/** An empty database already has pages for every table; with many copies they become negligible. */
const COPIES = 5;

/** The storage that a version of the corpus uses in the primary, and from it the number of versions one primary can hold. */
export const storage: BenchPart = {
  name: "storage",
  title: "Storage",
  async run(bench) {
    const corpus = join(ROOT, "..", "shared", "corpus", "histories");
    if (!existsSync(corpus)) {
      bench.progress("skipped: there is no ../shared/corpus beside the project");
      return [];
    }
    const versions = readHistories(corpus);
    const registry = await startRegistry();
    try {
      await registerNth(registry.url, "first", 1);
      const before = primaryBytes(registry);
      let registered = 0;
      let refused = 0;
      let rawBytes = 0;
      for (let copy = 0; copy < (bench.quick ? 1 : COPIES); copy += 1) {
        for (const { subject, format, text } of versions) {
          const content = distinct(text, format, copy);
          const response = await fetch(`${registry.url}/api/v1/schemas`, {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ subject: `${copy}/${subject}`, format, content }),
          });
          await response.arrayBuffer();
          if (response.status === 201) {
            registered += 1;
            rawBytes += content.length;
          } else if (response.status !== 200) refused += 1;
        }
      }
      const after = primaryBytes(registry);
      const per = (part: keyof PrimaryBytes) => (after[part] - before[part]) / registered;
      const perVersion = per("texts") + per("payloads") + per("log") + per("rest");
      return [
        {
          what: "versions registered",
          value: registered,
          unit: "",
          note: `${refused} need references that were not registered, or are invalid`,
        },
        { what: "bytes of text per version", value: rawBytes / registered, unit: "bytes" },
        { what: "bytes in the primary per version", value: perVersion, unit: "bytes" },
        { what: "beside it for 24 hours: the remembered command", value: per("commands"), unit: "bytes" },
        {
          what: "bytes in R2 per version",
          value: folderBytes(join(registry.stateDir, "r2")) / registered,
          unit: "bytes",
        },
        {
          what: "versions in 10 GB of primary",
          value: OBJECT_BYTES / perVersion,
          unit: "",
          aim: { atLeast: 3_000_000 },
        },
        {
          what: "the same, once texts and payloads of old versions lie in R2",
          value: OBJECT_BYTES / (per("log") + per("rest")),
          unit: "",
        },
        {
          what: "the same, once old log headers do too",
          value: OBJECT_BYTES / per("rest"),
          unit: "",
          note: "the way to 10 million in one primary; beyond it, tenants have one each",
        },
      ];
    } finally {
      await registry.stop();
    }
  },
};

type HistoryVersion = { subject: string; format: "avro" | "json-schema" | "protobuf"; text: string };

function readHistories(folder: string): HistoryVersion[] {
  const formats = { avsc: "avro", json: "json-schema", proto: "protobuf" } as const;
  return readdirSync(folder).flatMap((subject) =>
    readdirSync(join(folder, subject))
      .toSorted()
      .filter((file) => /^\d+\.(?:avsc|json|proto)$/.test(file))
      .map((file) => ({
        subject,
        format: formats[file.split(".")[1] as keyof typeof formats],
        text: readFileSync(join(folder, subject, file), "utf8"),
      })),
  );
}

/** The same text as separate contents, each a few bytes longer, because equal contents are stored once. */
function distinct(text: string, format: HistoryVersion["format"], copy: number): string {
  if (copy === 0) return text;
  if (format === "protobuf") return `${text}\nmessage BenchCopy${copy} {}\n`;
  return text.replace("{", format === "avro" ? `{"bench.copy": ${copy}, ` : `{"$comment": "copy ${copy}", `);
}

/**
 * Bytes of the pages in use. `commands` holds outcomes for repeated commands, which the primary forgets after a day.
 */
type PrimaryBytes = Record<"texts" | "payloads" | "log" | "commands" | "rest", number>;

function primaryBytes({ stateDir }: Server): PrimaryBytes {
  const folder = join(stateDir, "do", "registry-PrimaryObject");
  const [file] = readdirSync(folder).filter((name) => name.endsWith(".sqlite") && name !== "metadata.sqlite");
  const database = new DatabaseSync(join(folder, file!), { readOnly: true });
  const rows = database
    .prepare(
      "SELECT coalesce(tbl_name, dbstat.name) AS name, sum(pgsize) AS bytes FROM dbstat LEFT JOIN sqlite_schema USING (name) GROUP BY 1",
    )
    .all() as { name: string; bytes: number }[];
  database.close();
  const bytes: PrimaryBytes = { texts: 0, payloads: 0, log: 0, commands: 0, rest: 0 };
  for (const row of rows) bytes[row.name in bytes ? (row.name as keyof PrimaryBytes) : "rest"] += row.bytes;
  return bytes;
}

function folderBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.includes("blobs"))
    .map((path) => statSync(join(folder, path)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
}
