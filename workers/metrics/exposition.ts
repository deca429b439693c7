/**
 * Metrics as text: Prometheus' format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/), and OpenMetrics
 * 1.0 on request. Buckets become cumulative here.
 */
import type { MetricDefinition } from "../../observe/metrics.ts";

/** Label values in definition order, and the numbers of a series of that type. */
export type Sample = { labels: readonly string[]; values: readonly number[] };
export type Family = { name: string; definition: MetricDefinition; samples: readonly Sample[] };
type Exposition = "prometheus" | "openmetrics";

export const MEDIA_TYPES: Readonly<Record<Exposition, string>> = {
  prometheus: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
};

/** The format an Accept header prefers; the older one by default. */
export function preferredExposition(accept: string | null): Exposition {
  let [best, bestQuality]: [Exposition, number] = ["prometheus", 0];
  for (const part of (accept ?? "").toLowerCase().split(",")) {
    const [range = "", ...parameters] = part.split(";").map((piece) => piece.trim());
    const quality = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? "1");
    const format =
      range === "application/openmetrics-text" ? "openmetrics" : range === "text/plain" ? "prometheus" : undefined;
    if (format !== undefined && quality > bestQuality) [best, bestQuality] = [format, quality];
  }
  return best;
}

/** Families without samples are left out. */
export function printMetrics(families: readonly Family[], exposition: Exposition): string {
  const lines: string[] = [];
  for (const { name, definition, samples } of families) {
    if (samples.length === 0) continue;
    // OpenMetrics names a counter family without the suffix of its samples.
    const family = exposition === "openmetrics" && definition.type === "counter" ? name.replace(/_total$/, "") : name;
    lines.push(`# HELP ${family} ${escapedHelp(definition.help)}`, `# TYPE ${family} ${definition.type}`);
    for (const sample of samples) lines.push(...printSample(name, definition, sample, exposition));
  }
  if (exposition === "openmetrics") lines.push("# EOF");
  return `${lines.join("\n")}\n`;
}

function printSample(
  name: string,
  { type, labels: names, bounds = [] }: MetricDefinition,
  sample: Sample,
  exposition: Exposition,
): string[] {
  const labels = names.map((label, index) => `${label}="${escapedLabel(sample.labels[index] ?? "")}"`);
  if (type !== "histogram") return [`${name}${braced(labels)} ${sample.values[0] ?? 0}`];
  let cumulated = 0;
  const buckets = [...bounds, Number.POSITIVE_INFINITY].map((bound, index) => {
    cumulated += sample.values[index] ?? 0;
    return `${name}_bucket${braced([...labels, `le="${printBound(bound, exposition)}"`])} ${cumulated}`;
  });
  const total = sample.values[bounds.length + 1] ?? 0;
  return [...buckets, `${name}_sum${braced(labels)} ${total}`, `${name}_count${braced(labels)} ${cumulated}`];
}

function braced(labels: readonly string[]): string {
  return labels.length === 0 ? "" : `{${labels.join(",")}}`;
}

/** OpenMetrics requires bounds as floats in one canonical spelling. */
function printBound(bound: number, exposition: Exposition): string {
  if (bound === Number.POSITIVE_INFINITY) return "+Inf";
  return exposition === "openmetrics" && Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function escapedHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapedLabel(text: string): string {
  return escapedHelp(text).replaceAll('"', '\\"');
}
