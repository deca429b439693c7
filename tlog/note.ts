/**
 * Signed notes (https://c2sp.org/signed-note) and the checkpoints they carry (https://c2sp.org/tlog-checkpoint): a text
 * that identifies a tree, with Ed25519 signatures.
 */
import { createHash } from "node:crypto";
import type { Hash } from "./merkle.ts";

/** https://c2sp.org/signed-note, signature types. */
const ED25519 = 1;
const KEY_HASH_BYTES = 4;
const PUBLIC_KEY_BYTES = 32;
/** RFC 8410 §7: the PKCS #8 prefix of an Ed25519 seed. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");
export const SEED_BYTES = 32;

export type Verifier = { name: string; keyHash: Uint8Array; publicKey: Uint8Array };
export type Signer = { verifier: Verifier; sign(text: string): Promise<Uint8Array> };

/** A tree as identified by a checkpoint. */
export type Checkpoint = { origin: string; size: number; root: Hash };

export async function makeSigner(name: string, seed: Uint8Array): Promise<Signer> {
  const pkcs8 = Uint8Array.from([...PKCS8_PREFIX, ...seed]);
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", true, ["sign"]);
  const { x } = (await crypto.subtle.exportKey("jwk", key)) as JsonWebKey;
  const publicKey = new Uint8Array(Buffer.from(x!, "base64url"));
  return {
    verifier: { name, keyHash: computeKeyHash(name, publicKey), publicKey },
    sign: async (text) => new Uint8Array(await crypto.subtle.sign("Ed25519", key, new TextEncoder().encode(text))),
  };
}

/** The public key in the form for verifiers: `<name>+<key hash>+<key>`. */
export function printVerifier({ name, keyHash, publicKey }: Verifier): string {
  const key = Buffer.from([ED25519, ...publicKey]).toString("base64");
  return `${name}+${Buffer.from(keyHash).toString("hex")}+${key}`;
}

/** Undefined if the text is not such a key, or its hash does not match. */
export function parseVerifier(text: string): Verifier | undefined {
  const match = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text.trim());
  if (!match) return undefined;
  const [, name, hash, key] = match as unknown as [string, string, string, string];
  const bytes = Buffer.from(key, "base64");
  if (bytes[0] !== ED25519 || bytes.length !== 1 + PUBLIC_KEY_BYTES) return undefined;
  const publicKey = new Uint8Array(bytes.subarray(1));
  const keyHash = computeKeyHash(name, publicKey);
  return Buffer.from(keyHash).toString("hex") === hash ? { name, keyHash, publicKey } : undefined;
}

function computeKeyHash(name: string, publicKey: Uint8Array): Uint8Array {
  const hashed = createHash("sha256").update(`${name}\n`).update(Uint8Array.of(ED25519)).update(publicKey).digest();
  return new Uint8Array(hashed.subarray(0, KEY_HASH_BYTES));
}

export function printCheckpoint({ origin, size, root }: Checkpoint): string {
  return `${origin}\n${size}\n${Buffer.from(root).toString("base64")}\n`;
}

/** The note of a text: the text, an empty line, and a line per signature. */
export async function signNote(text: string, signers: readonly Signer[]): Promise<string> {
  const lines: string[] = [];
  for (const { verifier, sign } of signers) {
    const signature = Buffer.from([...verifier.keyHash, ...(await sign(text))]).toString("base64");
    lines.push(`— ${verifier.name} ${signature}\n`);
  }
  return `${text}\n${lines.join("")}`;
}

/**
 * The text of a note that one of the keys has signed. A signature by an unknown key is ignored; a wrong one by a known
 * key makes the note invalid.
 */
export async function openNote(
  note: string,
  verifiers: readonly Verifier[],
): Promise<{ ok: true; text: string; by: Verifier } | { ok: false; problem: string }> {
  const split = note.lastIndexOf("\n\n");
  if (split === -1 || !note.endsWith("\n")) return { ok: false, problem: "The text is not a signed note." };
  const text = note.slice(0, split + 1);
  let by: Verifier | undefined;
  for (const line of note.slice(split + 2, -1).split("\n")) {
    const match = /^— (\S+) ([A-Za-z0-9+/]+=*)$/.exec(line);
    if (!match) return { ok: false, problem: `"${line}" is not a signature.` };
    const [, name, encoded] = match as unknown as [string, string, string];
    const bytes = new Uint8Array(Buffer.from(encoded, "base64"));
    const hash = Buffer.from(bytes.subarray(0, KEY_HASH_BYTES)).toString("hex");
    const verifier = verifiers.find(
      (known) => known.name === name && Buffer.from(known.keyHash).toString("hex") === hash,
    );
    if (!verifier) continue;
    const key = await crypto.subtle.importKey("raw", verifier.publicKey as BufferSource, "Ed25519", false, ["verify"]);
    const signature = bytes.slice(KEY_HASH_BYTES);
    if (!(await crypto.subtle.verify("Ed25519", key, signature, new TextEncoder().encode(text)))) {
      return { ok: false, problem: `The signature by "${name}" does not match this text.` };
    }
    by ??= verifier;
  }
  return by ? { ok: true, text, by } : { ok: false, problem: "None of the given keys has signed the note." };
}

/** The first three lines of a checkpoint; more may follow. Undefined if it is not one. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const [origin, size, root] = text.split("\n");
  if (!origin || !/^(?:0|[1-9]\d{0,15})$/.test(size ?? "")) return undefined;
  const hash = new Uint8Array(Buffer.from(root ?? "", "base64"));
  return hash.length === 32 ? { origin, size: Number(size), root: hash } : undefined;
}
