/** Where workerd's one thread spends its time and what its heap holds, over the inspector protocol. */
import { once } from "node:events";
import type { Server } from "./servers.ts";

type Node = { id: number; callFrame: { functionName: string; lineNumber: number }; children?: number[] };
type Profile = { nodes: Node[]; samples: number[]; timeDeltas: number[] };

const SAMPLE_EVERY_US = 200;
/** The profiler's names for idle time. */
const IDLE = "(idle)";

/** Lines of the served bundle, counted from 0 as in the profiler. */
type Lines = { first: number; last: number };

/**
 * The location of a class in the bundle; matching by name alone would include the edge's functions of the same name.
 */
export function linesOfClass(bundle: string, name: string): Lines {
  const lines = bundle.split("\n");
  const first = lines.findIndex((line) => line.includes(`${name} = class`) || line.includes(`class ${name} `));
  if (first === -1) throw new Error(`The bundle has no class ${name}.`);
  return { first, last: lines.findIndex((line, at) => at > first && line.startsWith("}")) };
}

/**
 * Profiles while `work` runs, and returns the share of the thread's busy time spent in calls of the class's methods.
 */
export async function busyShareInside(
  inspectorUrl: string,
  lines: Lines,
  work: () => Promise<unknown>,
): Promise<number> {
  const inspector = await openInspector(inspectorUrl);
  await inspector.call("Profiler.enable");
  await inspector.call("Profiler.setSamplingInterval", { interval: SAMPLE_EVERY_US });
  await inspector.call("Profiler.start");
  await work();
  const { profile } = (await inspector.call("Profiler.stop")) as { profile: Profile };
  inspector.close();
  return shareInside(profile, lines);
}

/** An isolate answers its inspector only while it serves a request. */
const POKED_EVERY_MS = 50;

/** The isolate's heap after garbage collection, in MiB. Locally the edge and its objects share one isolate. */
export async function heapMiB({ url, inspectorUrl }: Pick<Server, "url" | "inspectorUrl">): Promise<number> {
  const inspector = await openInspector(await inspectorUrl());
  const poking = setInterval(() => void fetch(`${url}/health`).catch(() => undefined), POKED_EVERY_MS);
  try {
    await inspector.call("HeapProfiler.enable");
    await inspector.call("HeapProfiler.collectGarbage");
    const { usedSize } = (await inspector.call("Runtime.getHeapUsage")) as { usedSize: number };
    return usedSize / 1_024 ** 2;
  } finally {
    clearInterval(poking);
    inspector.close();
  }
}

function shareInside({ nodes, samples, timeDeltas }: Profile, { first, last }: Lines): number {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const inside = new Set<number>();
  const mark = (node: Node, callerIsInside: boolean): void => {
    const { lineNumber } = node.callFrame;
    const isInside = callerIsInside || (lineNumber >= first && lineNumber <= last);
    if (isInside) inside.add(node.id);
    for (const child of node.children ?? []) mark(byId.get(child)!, isInside);
  };
  if (nodes[0]) mark(nodes[0], false);
  let busyUs = 0;
  let insideUs = 0;
  for (const [at, id] of samples.entries()) {
    if (byId.get(id)!.callFrame.functionName === IDLE) continue;
    busyUs += timeDeltas[at]!;
    if (inside.has(id)) insideUs += timeDeltas[at]!;
  }
  return insideUs / busyUs;
}

async function openInspector(url: string) {
  const socket = new WebSocket(url);
  await once(socket, "open");
  const waiting = new Map<number, (result: unknown) => void>();
  let nextId = 1;
  socket.addEventListener("message", ({ data }) => {
    const { id, result } = JSON.parse(String(data)) as { id?: number; result?: unknown };
    if (id !== undefined) waiting.get(id)?.(result);
  });
  return {
    call(method: string, params: object = {}): Promise<unknown> {
      const id = nextId;
      nextId += 1;
      socket.send(JSON.stringify({ id, method, params }));
      return new Promise((resolve) => waiting.set(id, resolve));
    },
    close: () => socket.close(),
  };
}
