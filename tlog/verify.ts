/**
 * Verifies a log entry by entry, in constant memory: that headers form a chain, that payloads match their headers, and
 * that the entries up to a checkpoint have its root.
 */
import { createHash } from "node:crypto";
import { emptyRoot, type Hash, hashChildren, hashLeaf, sameHash } from "./merkle.ts";
import type { Checkpoint } from "./note.ts";

/** An entry as returned by `GET /log`. */
export type LogLine = {
  seq: number;
  /** The exact text that was hashed. */
  header: string;
  payload: { salt: string; text: string } | null;
};

const GENESIS_HASH = "0".repeat(64);

export class LogVerifier {
  /** Roots of complete subtrees, the largest first; `entries` is a power of two. */
  readonly #subtrees: { entries: number; hash: Hash }[] = [];
  readonly #checkpoints: readonly Checkpoint[];
  readonly #verified = new Set<Checkpoint>();
  #size = 0;
  #previous = GENESIS_HASH;
  /** Entries whose payload a hard delete has removed. */
  hardDeleted = 0;

  constructor(checkpoints: readonly Checkpoint[]) {
    this.#checkpoints = checkpoints;
  }

  get size(): number {
    return this.#size;
  }

  /** Takes the next entry; returns the problem with it, or with a checkpoint that ends at it. */
  add({ seq, header, payload }: LogLine): string | undefined {
    const said = parseJson(header) as { seq?: unknown; prev_hash?: unknown; payload_digest?: unknown } | undefined;
    if (seq !== this.#size + 1 || said?.seq !== seq) return `Entry ${this.#size + 1} is missing; entry ${seq} follows.`;
    if (said.prev_hash !== this.#previous)
      return `Entry ${seq} does not follow the entry before it: one of them was changed.`;
    if (payload === null) this.hardDeleted += 1;
    else if (computeDigest(payload) !== said.payload_digest)
      return `The payload of entry ${seq} does not match its header.`;
    const leaf = hashLeaf(Buffer.from(header, "utf8"));
    this.#previous = Buffer.from(leaf).toString("hex");
    this.#push(leaf);
    for (const checkpoint of this.#checkpoints) {
      if (checkpoint.size !== this.#size) continue;
      if (!sameHash(this.root(), checkpoint.root)) {
        return `The first ${seq} entries do not match the checkpoint of ${seq} entries.`;
      }
      this.#verified.add(checkpoint);
    }
    return undefined;
  }

  /** Problems that only show at the end of the log. */
  finish(): string | undefined {
    const missing = this.#checkpoints.find((checkpoint) => checkpoint.size > 0 && !this.#verified.has(checkpoint));
    return missing && `The log ends with entry ${this.#size}, but a checkpoint covers ${missing.size} entries.`;
  }

  root(): Hash {
    const hashes = this.#subtrees.map(({ hash }) => hash);
    return hashes.length === 0 ? emptyRoot() : hashes.reduceRight((right, left) => hashChildren(left, right));
  }

  #push(leaf: Hash): void {
    let subtree = { entries: 1, hash: leaf };
    for (let last = this.#subtrees.at(-1); last?.entries === subtree.entries; last = this.#subtrees.at(-1)) {
      this.#subtrees.pop();
      subtree = { entries: 2 * subtree.entries, hash: hashChildren(last.hash, subtree.hash) };
    }
    this.#subtrees.push(subtree);
    this.#size += 1;
  }
}

function computeDigest({ salt, text }: { salt: string; text: string }): string {
  return createHash("sha256").update(Buffer.from(salt, "base64")).update(text, "utf8").digest("hex");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
