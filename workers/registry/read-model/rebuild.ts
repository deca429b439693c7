/** Rebuilds the read model: empties it and fills it again from the log, one slice per call. The caller may stop and resume at any time. */
import { beginRebuild, emptySome } from "../../../db/projection/rebuild.ts";
import { EPOCH } from "../../../registry/log-entry.ts";
import type { Edge } from "../../edge.ts";
import { raiseGeneration } from "../../read-path/kv-key.ts";
import { answered } from "./parked.ts";
import { readModelStatus } from "./read-model.ts";
import { type Replicated, replicate } from "./replicate.ts";

/** Duration of a slice, well below a request's limit. */
const SLICE_FOR_MS = 3_000;

type RebuildProgress = {
  /** Null when the rebuild is complete. */
  phase: "emptying" | "filling" | null;
  deleted: number;
  applied: number;
  seq: number;
  primarySeq: number;
  /** The reason the rebuild cannot continue. */
  problem: Extract<Replicated["outcome"], "failing" | "diverged"> | null;
};

/** `restart` starts a rebuild or restarts the running one; otherwise the running one continues. */
export async function rebuildSlice(edge: Edge, restart: boolean): Promise<RebuildProgress> {
  const untilMs = edge.now() + SLICE_FOR_MS;
  const progress: RebuildProgress = {
    phase: "emptying",
    deleted: 0,
    applied: 0,
    seq: 0,
    primarySeq: answered(await edge.primary.read("head", {})).asOf.seq,
    problem: null,
  };
  if (restart) {
    // Without Postgres the request fails here, before anything changes.
    await beginRebuild(edge.env, edge.tenant, { epoch: EPOCH, nowMs: edge.now() });
    await raiseGeneration(edge);
  }
  while (progress.phase === "emptying" && edge.now() < untilMs) {
    const where = { epoch: EPOCH, upToSeq: progress.primarySeq, nowMs: edge.now() };
    const { phase, deleted } = await emptySome(edge.env, edge.tenant, where);
    progress.phase = phase;
    progress.deleted += deleted;
  }
  if (progress.phase === "emptying") return progress;
  const filled = await replicate(edge.env, edge.tenant, { now: edge.now, forMs: Math.max(0, untilMs - edge.now()) });
  const { rebuild } = await readModelStatus(edge.env, edge.tenant, edge.now());
  return {
    ...progress,
    phase: rebuild,
    applied: filled.applied,
    seq: filled.seq,
    primarySeq: filled.primarySeq,
    problem: filled.outcome === "failing" || filled.outcome === "diverged" ? filled.outcome : null,
  };
}
