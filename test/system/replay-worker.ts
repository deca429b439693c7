import { EPOCH } from "../../durable-objects/protocol";

export { PrimaryObject } from "../../durable-objects/primary";

type Replaying = { replayState(): Promise<{ current: unknown; replayed: unknown }> };

/** Served by kill.test.ts over a killed registry's state: the state tables, and the same tables rebuilt from the log. */
export default {
  async fetch(_request: Request, env: { PRIMARIES: { getByName(name: string): unknown } }): Promise<Response> {
    const primary = env.PRIMARIES.getByName(`default/${EPOCH}`) as Replaying;
    return new Response(JSON.stringify(await primary.replayState(), bytesAsHex));
  },
};

function bytesAsHex(_key: string, value: unknown): unknown {
  if (value instanceof ArrayBuffer) return Buffer.from(value).toString("hex");
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex");
  return value;
}
