/** The /metrics page: counts of all isolates, and figures read at the time of the scrape. */

import { METRICS_VERSION } from "../../durable-objects/metrics/protocol.ts";
import { ASKED, type AskedName, COUNTED, type MetricDefinition, type Series } from "../../observe/metrics.ts";
import type { Result } from "../../schema/result.ts";
import type { Bindings } from "../edge.ts";
import { answerWithin } from "./deadline.ts";
import type { Family, Sample } from "./exposition.ts";
import { type Flusher, openMetrics } from "./flush.ts";
import { type Asked, askSources, SOURCE_DEADLINE_MS } from "./sources.ts";

/** All families in definition order. This isolate flushes first, so a scrape includes its counts. */
export async function readFamilies(env: Bindings, tenant: string, flusher: Flusher, nowMs: number): Promise<Family[]> {
  const [series, isolates, asked] = await Promise.all([
    readTotals(env, flusher, nowMs),
    answerWithin(SOURCE_DEADLINE_MS, openMetrics(env).countIsolates({ v: METRICS_VERSION })),
    askSources(env, tenant),
  ]);
  return [
    ...(series === undefined ? [] : countedFamilies(series)),
    ...askedFamilies(asked, tenant, { isMetricsUp: series !== undefined, isolates }),
  ];
}

async function readTotals(env: Bindings, flusher: Flusher, nowMs: number): Promise<readonly Series[] | undefined> {
  await flusher.flush(env, nowMs);
  const answer = await answerWithin(SOURCE_DEADLINE_MS, openMetrics(env).totals({ v: METRICS_VERSION }));
  return answer?.ok === true ? answer.value : undefined;
}

function countedFamilies(series: readonly Series[]): Family[] {
  const byMetric = Map.groupBy(series, ({ metric }) => metric);
  return Object.entries(COUNTED).map(([name, definition]: [string, MetricDefinition]) => {
    const counted = byMetric.get(name as Series["metric"]) ?? [];
    const missing = (definition.from0 ?? []).filter((label) => !counted.some(({ labels }) => labels[0] === label));
    return { name, definition, samples: [...counted, ...missing.map((label) => ({ labels: [label], values: [0] }))] };
  });
}

type Metered = { isMetricsUp: boolean; isolates: Result<{ count: number }, "version"> | undefined };

function askedFamilies({ readings, up }: Asked, tenant: string, { isMetricsUp, isolates }: Metered): Family[] {
  const samples = new Map<AskedName, Sample[]>();
  if (isolates?.ok) samples.set("registry_validating_isolates", [{ labels: [], values: [isolates.value.count] }]);
  for (const { metric, label, value } of readings) {
    const labels = label === undefined ? [tenant] : [tenant, label];
    samples.set(metric, [...(samples.get(metric) ?? []), { labels, values: [value] }]);
  }
  const sources = Object.entries({ ...up, metrics: isMetricsUp });
  samples.set(
    "registry_source_up",
    sources.map(([source, isUp]) => ({ labels: [source], values: [isUp ? 1 : 0] })),
  );
  return Object.entries(ASKED).map(([name, definition]: [string, MetricDefinition]) => ({
    name,
    definition,
    samples: samples.get(name as AskedName) ?? [],
  }));
}
