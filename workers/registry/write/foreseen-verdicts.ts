/**
 * Verdicts that a registration will need, computed before the primary asks: the versions that the subject's last
 * registration from this isolate was compared with, and the version that it made. A wrong guess costs its computation:
 * the primary asks for what it lacks and ignores what it does not need.
 */
import type { Need, RegisterCommand, Registered } from "../../../registry/commands.ts";
import { NATIVE_HASHES } from "../../../registry/native-hashes.ts";
import type { Closure } from "../../../registry/record.ts";
import { closureHash, contentHash } from "../../../schema/content-hash.ts";
import { type Fact, type VerdictRequest, verdictKey } from "../../../schema/facts.ts";
import type { JsonDialect } from "../../../schema/format.ts";
import { formatNamed } from "../../../schema/formats.ts";
import { NO_DATA_CONTRACT } from "../../../schema/rules/data-contract.ts";
import { printSubjectName } from "../../../schema/subject-name.ts";
import type { Edge } from "../../edge.ts";
import { computeFacts } from "./facts.ts";

/**
 * Consecutive registrations that were foreseen. After that the primary is consulted again, so that deleted versions do
 * not stay in the comparisons.
 */
const MAX_FORESEEN_IN_A_ROW = 100;
/** Memory of a pair: a closure of one content and its location. */
const PAIR_BYTES = 600;

type VerdictNeed = Extract<Need, { type: "verdict" }>;
type Side = "reader" | "writer";
type Compared = { other: Closure; dialect: JsonDialect | null; sides: readonly Side[] };
type Foreseen = {
  /** Newest first. */
  compared: readonly Compared[];
  isTransitive: boolean;
  options: Omit<VerdictRequest, "reader" | "writer" | "readerDialect" | "writerDialect">;
  inARow: number;
};

/** The versions a registration was compared with, for the next registration of its subject. */
export class ForeseenVerdicts {
  readonly #edge: Edge;
  readonly #command: RegisterCommand;
  readonly #foreseen: Foreseen | undefined;
  readonly #asked: VerdictNeed[] = [];

  constructor(edge: Edge, command: RegisterCommand) {
    this.#edge = edge;
    this.#command = command;
    this.#foreseen = isPlain(command) ? (edge.cache.get(keyOf(command)) as Foreseen | undefined) : undefined;
  }

  /** The verdicts needed for a candidate whose reading is among `facts`. */
  async facts([reading]: readonly Fact[]): Promise<Fact[]> {
    if (!this.#foreseen || reading?.type !== "reading" || !reading.reading.ok) return [];
    const { format } = this.#command;
    const { text, dialect } = reading.reading.value;
    const root = contentHash({ format, text, references: [], contract: NO_DATA_CONTRACT }, NATIVE_HASHES);
    const candidate = plainClosure(root);
    const { compared, options } = this.#foreseen;
    // Known content, the most frequent registration: no comparison is needed.
    if (compared.some(({ other }) => other.root === root)) return [];
    const needs = compared.flatMap(({ other, dialect: otherDialect, sides }) =>
      sides.map((side): VerdictNeed => {
        const [reader, writer] = side === "reader" ? [candidate, other] : [other, candidate];
        const [readerDialect, writerDialect] = side === "reader" ? [dialect, otherDialect] : [otherDialect, dialect];
        const request = { reader: reader.hash, writer: writer.hash, readerDialect, writerDialect, ...options };
        const key = verdictKey(request, formatNamed(format).codeVersion, NATIVE_HASHES);
        return { type: "verdict", key, request, reader, writer, candidate: side, format };
      }),
    );
    const computed = await computeFacts(this.#edge, needs, "", { text });
    // The primary requests them anyway, and then the refusal has a recipient.
    return computed.ok ? computed.value : [];
  }

  /** Records the facts that the primary requested in addition. */
  note(needs: readonly Need[]): void {
    for (const need of needs) if (need.type === "verdict" && need.candidate !== null) this.#asked.push(need);
  }

  /** Stores the versions that the registration was compared with, and the version that it made. */
  keep({ record }: Pick<Registered, "record">): void {
    const isOwn = isPlain(this.#command) && record.contract.metadata === null && record.contract.ruleSet === null;
    const [first] = this.#asked;
    const foreseen = this.#foreseen;
    if (!isOwn || (!first && !foreseen)) return;
    const isTransitive = first ? this.#asked.some((need) => need.isTransitive) : foreseen!.isTransitive;
    const compared = first ? comparedIn(this.#asked, foreseen?.compared ?? []) : foreseen!.compared;
    const inARow = first ? 0 : foreseen!.inARow + 1;
    const key = keyOf(this.#command);
    if (inARow > MAX_FORESEEN_IN_A_ROW) {
      this.#edge.cache.delete(key);
      return;
    }
    const [newest, ...older] = compared;
    // Older versions are compared on fewer sides than the newest, whose step is also graded. The first of them is not
    // known yet.
    const olderSides = older[0]?.sides ?? [];
    const next: Foreseen = {
      compared: [
        { other: plainClosure(record.contentHash), dialect: record.dialect, sides: newest!.sides },
        ...(isTransitive ? [{ ...newest!, sides: olderSides }, ...older] : []),
      ],
      isTransitive,
      options: first ? optionsOf(first.request) : foreseen!.options,
      inARow,
    };
    this.#edge.cache.put(key, next, next.compared.length * PAIR_BYTES);
  }
}

/** Without references and a data contract, so the text alone identifies the content. */
function isPlain({ references, metadata, ruleSet, state, text }: RegisterCommand): boolean {
  return text !== "" && references.length === 0 && !metadata && !ruleSet && state === "active";
}

function keyOf({ name, format, api }: RegisterCommand): string {
  return `foreseen/${api}/${format}/${printSubjectName(name)}`;
}

function plainClosure(root: string): Closure {
  return { root, hash: closureHash(root, new Map(), NATIVE_HASHES), nodes: [{ contentHash: root, references: [] }] };
}

function optionsOf({ reader, writer, readerDialect, writerDialect, ...options }: VerdictRequest): Foreseen["options"] {
  return options;
}

/** By the other side, newest first, because it is compared on the most sides. Foreseen versions are among them. */
function comparedIn(needs: readonly VerdictNeed[], foreseen: readonly Compared[]): Compared[] {
  const found = new Map(foreseen.map((compared) => [compared.other.hash, compared]));
  for (const { candidate, reader, writer, request } of needs) {
    const [other, dialect] = candidate === "reader" ? [writer, request.writerDialect] : [reader, request.readerDialect];
    const sides = found.get(other.hash)?.sides ?? [];
    found.set(other.hash, { other, dialect, sides: [...new Set([...sides, candidate!])] });
  }
  return [...found.values()].sort((one, two) => two.sides.length - one.sides.length);
}
