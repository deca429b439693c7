import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { MAX_SEGMENT_ENTRIES } from "../../../registry/segment.ts";
import { MAX_RUN_SEGMENTS } from "../../../workers/backup/run.ts";
import { MAX_EXPORT_SEGMENTS } from "../../../workers/http/native/backup.ts";
import { appendEntries } from "../../durable-objects/primary/commands.ts";
import { hostileRegistry, plainRegistry, type Registry } from "../http/native-calls.ts";
import { primaryStub } from "./registries.ts";

/** Every entry is one commit. */
const PATIENCE_MS = 300_000;

describe("a run of the backup", () => {
  it(
    `exports ${MAX_RUN_SEGMENTS} segments, and leaves the rest to the next run`,
    async () => {
      const registry = hostileRegistry();
      const most = MAX_RUN_SEGMENTS * MAX_SEGMENT_ENTRIES;
      const run = async () => {
        registry.platform.clock.advance(5_000);
        return (await registry.call("POST", "/backup")).body;
      };
      await appendEntries(primaryStub(registry), most);
      expect(await run()).toEqual({ last_seq: most, exported: most, more: false });

      await appendEntries(primaryStub(registry), most + 1);
      expect(await run()).toMatchObject({ exported: most, more: true });
      expect(await run()).toEqual({ last_seq: 2 * most + 1, exported: 1, more: false });
    },
    PATIENCE_MS,
  );
});

describe("GET /backup/export", () => {
  /** The last entry of a page, whose segments are gzip members one after the other. */
  async function lastSeqOf(registry: Registry, after: number): Promise<number> {
    const response = await registry.platform.fetch(`/api/v1/backup/export?after=${after}`);
    expect(response.status).toBe(200);
    const text = gunzipSync(new Uint8Array(await response.arrayBuffer())).toString();
    return [...text.matchAll(/"seq\\?":(\d+)/g)].reduce((most, [, seq]) => Math.max(most, Number(seq)), 0);
  }

  it(
    `has ${MAX_EXPORT_SEGMENTS} segments, and the next one the rest`,
    async () => {
      const registry = plainRegistry();
      const most = MAX_EXPORT_SEGMENTS * MAX_SEGMENT_ENTRIES;
      await appendEntries(primaryStub(registry), most);
      expect(await lastSeqOf(registry, 0)).toBe(most);

      await appendEntries(primaryStub(registry), 1);
      expect(await lastSeqOf(registry, 0)).toBe(most);
      expect(await lastSeqOf(registry, most)).toBe(most + 1);
    },
    PATIENCE_MS,
  );
});
