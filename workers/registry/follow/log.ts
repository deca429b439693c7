/** The log for administrators: exact bytes as text, so that the chain can be verified. */
import type { AsOf } from "../../../registry/log-entry.ts";
import type { Edge } from "../../edge.ts";

type ReadableEntry = {
  seq: number;
  /** The exact text that was hashed. */
  header: string;
  /** Lower-case hex. */
  leafHash: string;
  /** Null after a hard delete. */
  payload: { salt: Uint8Array; text: string } | null;
};

export async function readLog(
  edge: Edge,
  { after, limit }: { after: number; limit: number },
): Promise<{ entries: ReadableEntry[]; asOf: AsOf }> {
  const { entries, asOf } = await edge.primary.readLog({ after, limit });
  const decoder = new TextDecoder();
  return {
    entries: entries.map(({ seq, header, leafHash, payload }) => ({
      seq,
      header: decoder.decode(header),
      leafHash: Buffer.from(leafHash).toString("hex"),
      payload: payload && { salt: payload.salt, text: decoder.decode(payload.bytes) },
    })),
    asOf,
  };
}
