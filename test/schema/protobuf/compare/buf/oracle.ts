/** Runs the real `buf breaking`, offline, on many pairs in one run: each pair is one file of a module. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const BUF = resolve("node_modules/.bin/buf");
export const hasBuf = existsSync(BUF) && spawnSync(BUF, ["--version"]).status === 0;

export const BUF_CATEGORIES = {
  buf_wire: "WIRE",
  buf_wire_json: "WIRE_JSON",
  buf_csr: "CSR",
  buf_package: "PACKAGE",
  buf_file: "FILE",
} as const;

export type BufPair = { writer: string; reader: string };
export type BufVerdicts = {
  /** Rules per pair, sorted; a rule is listed once per violation. Null if Buf cannot compile one of the two texts. */
  rules: (string[] | null)[];
  /** The reasons pairs could not be compiled. */
  compileErrors: string[];
};

/** Rules about the module as a whole; they name a package, not a file. */
const PACKAGE_GONE = /^Previously present package "([^"]*)" was deleted/;

/** Runs Buf on pairs whose files are in packages `p0`, `p1`, …; `imports` are files both sides may import. */
export function askBuf(
  pairs: readonly BufPair[],
  categories: readonly string[],
  packages: readonly string[],
  imports: Readonly<Record<string, string>> = {},
): BufVerdicts {
  const folder = mkdtempSync(join(tmpdir(), "buf-"));
  try {
    const rules: (string[] | null)[] = pairs.map(() => []);
    const compileErrors: string[] = [];
    // A file that does not compile stops the whole run, so such pairs are removed and the rest is run again.
    for (let attempt = 0; attempt < 20; attempt += 1) {
      write(folder, pairs, rules, categories, imports);
      const found = runBuf(folder);
      const failed = found.filter(({ type }) => type === "COMPILE");
      if (failed.length === 0) {
        for (const annotation of found) {
          const index = pairOf(annotation, packages);
          if (index !== undefined) rules[index]?.push(annotation.type);
        }
        return { rules: rules.map((list) => list?.sort() ?? null), compileErrors };
      }
      for (const annotation of failed) {
        const index = pairOf(annotation, packages);
        if (index === undefined) throw new Error(`buf: ${JSON.stringify(annotation)}`);
        rules[index] = null;
        compileErrors.push(`${annotation.path}: ${annotation.message}`);
      }
    }
    throw new Error("buf: too many attempts");
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Runs Buf on two modules of several files, given by their paths: the broken rules, sorted. */
export function askBufOfModules(
  writer: Readonly<Record<string, string>>,
  reader: Readonly<Record<string, string>>,
  category: string,
): string[] {
  const folder = mkdtempSync(join(tmpdir(), "buf-"));
  try {
    for (const [side, files] of Object.entries({ writer, reader })) {
      mkdirSync(join(folder, side));
      writeFileSync(join(folder, side, "buf.yaml"), `version: v2\nbreaking:\n  use: [${category}]\n`);
      for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, side, path), text);
    }
    return runBuf(folder)
      .map(({ type }) => type)
      .sort();
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function runBuf(folder: string): Annotation[] {
  const { stdout, stderr } = spawnSync(BUF, ["breaking", "reader", "--against", "writer", "--error-format=json"], {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
    env: { ...process.env, HOME: folder },
  });
  if (stderr !== "") throw new Error(`buf: ${stderr.slice(0, 500)}`);
  return stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Annotation]));
}

type Annotation = { path?: string; type: string; message: string };

function pairOf({ path, message }: Annotation, packages: readonly string[]): number | undefined {
  const match = /c(\d+)\.proto$/.exec(path ?? "");
  if (match !== null) return Number(match[1]);
  const gone = PACKAGE_GONE.exec(message);
  const index = gone === null ? -1 : packages.indexOf(gone[1]!);
  return index === -1 ? undefined : index;
}

function write(
  folder: string,
  pairs: readonly BufPair[],
  rules: readonly (readonly string[] | null)[],
  categories: readonly string[],
  imports: Readonly<Record<string, string>>,
): void {
  for (const side of ["writer", "reader"] as const) {
    rmSync(join(folder, side), { recursive: true, force: true });
    mkdirSync(join(folder, side), { recursive: true });
    writeFileSync(join(folder, side, "buf.yaml"), `version: v2\nbreaking:\n  use: [${categories.join(", ")}]\n`);
    for (const [path, text] of Object.entries(imports)) {
      mkdirSync(dirname(join(folder, side, path)), { recursive: true });
      writeFileSync(join(folder, side, path), text);
    }
    pairs.forEach((pair, index) => {
      if (rules[index] !== null) writeFileSync(join(folder, side, `c${index}.proto`), pair[side]);
    });
  }
}
