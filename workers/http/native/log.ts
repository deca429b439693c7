/** `/log`: for administrators, with everything needed to verify the hash chain. */
import { readLog } from "../../registry/follow/log.ts";
import { type Answer, jsonAnswer, provenance } from "../answer.ts";
import type { NativeRequest } from "./request.ts";

export async function getLog({ edge, query }: NativeRequest): Promise<Answer> {
  const wanted = { after: query.after as number, limit: query.limit as number };
  const { entries, asOf } = await readLog(edge, wanted);
  const items = entries.map(({ seq, header, leafHash, payload }) => ({
    seq,
    header,
    leaf_hash: leafHash,
    payload: payload && { salt: Buffer.from(payload.salt).toString("base64"), text: payload.text },
  }));
  return jsonAnswer(200, { items }, provenance(asOf, "primary"));
}
