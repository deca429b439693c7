/**
 * Counts of one isolate that were not flushed yet. Reads from memory add to preallocated numbers of their route; everything
 * rarer goes through a map.
 */
import {
  COUNTED,
  type CountedName,
  countNumbers,
  LATENCY_BOUNDS_SECONDS,
  type MetricDefinition,
  type Series,
} from "../../observe/metrics.ts";

/** Response statuses; any other counts as the last. */
const STATUSES = [
  101, 200, 201, 202, 204, 206, 207, 304, 400, 401, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 414, 415, 416,
  422, 426, 428, 429, 431, 500, 501, 502, 503, 504, 507,
] as const;
const OTHER_STATUS = STATUSES.length;
const STATUS_INDEX = new Uint8Array(600).fill(OTHER_STATUS);
for (const [index, status] of STATUSES.entries()) STATUS_INDEX[status] = index;

/** Read classes of the read path. */
export type ReadClass = "content" | "record" | "head";
export type ReadSource = "memory" | "kv" | "primary";
const READ_CLASSES: readonly ReadClass[] = ["content", "record", "head"];
const READ_SOURCES: readonly ReadSource[] = ["memory", "kv", "primary"];

/** Series of an isolate beside its routes'. Their labels come from closed lists, so only a bug reaches this limit. */
export const MAX_ISOLATE_SERIES = 1_000;

/** Counts of one route. */
export class RouteCounts {
  readonly #statuses = new Float64Array(STATUSES.length + 1);
  readonly #durations = new Float64Array(LATENCY_BOUNDS_SECONDS.length + 1);
  #sumSeconds = 0;

  readonly api: string;
  readonly method: string;
  readonly route: string;

  constructor(api: string, method: string, route: string) {
    this.api = api;
    this.method = method;
    this.route = route;
  }

  /** Counts one response. */
  answered(status: number, durationMs: number): void {
    this.#statuses[STATUS_INDEX[status] ?? OTHER_STATUS]! += 1;
    // A clock that was set back must not decrease a sum.
    const seconds = Math.max(0, durationMs) / 1_000;
    let bucket = 0;
    while (bucket < LATENCY_BOUNDS_SECONDS.length && seconds > LATENCY_BOUNDS_SECONDS[bucket]!) bucket += 1;
    this.#durations[bucket]! += 1;
    this.#sumSeconds += seconds;
  }

  /** Returns the counts and resets them. */
  take(): Series[] {
    const { api, method, route } = this;
    const series: Series[] = [];
    for (const [index, count] of this.#statuses.entries()) {
      if (count === 0) continue;
      const status = index === OTHER_STATUS ? "other" : String(STATUSES[index]);
      series.push({ metric: "registry_requests_total", labels: [api, method, route, status], values: [count] });
    }
    if (series.length === 0) return series;
    const values = [...this.#durations, this.#sumSeconds];
    series.push({ metric: "registry_request_duration_seconds", labels: [api, method, route], values });
    this.#statuses.fill(0);
    this.#durations.fill(0);
    this.#sumSeconds = 0;
    return series;
  }
}

export class Counters {
  readonly #routes: RouteCounts[] = [];
  readonly #reads = new Float64Array(READ_CLASSES.length * READ_SOURCES.length * 2);
  readonly #rare = new Map<string, { metric: CountedName; labels: readonly string[]; values: number[] }>();

  /** Called once per mounted route. */
  route(api: string, method: string, route: string): RouteCounts {
    const counts = new RouteCounts(api, method, route);
    this.#routes.push(counts);
    return counts;
  }

  /** Counts one read. */
  contentFromMemory(): void {
    this.#reads[0]! += 1;
  }

  read(readClass: ReadClass, source: ReadSource, stale: boolean): void {
    const index = READ_CLASSES.indexOf(readClass) * READ_SOURCES.length + READ_SOURCES.indexOf(source);
    this.#reads[2 * index + (stale ? 1 : 0)]! += 1;
  }

  /** Adds to a counter; label values in the order of its definition. */
  add(metric: CountedName, labels: readonly string[], count = 1): void {
    const values = this.#valuesOf(metric, labels);
    if (values !== undefined) values[0]! += count;
  }

  /** Adds one observation to a histogram. */
  observe(metric: CountedName, labels: readonly string[], value: number): void {
    const values = this.#valuesOf(metric, labels);
    if (values === undefined) return;
    const { bounds = [] }: MetricDefinition = COUNTED[metric];
    const bucket = bounds.findIndex((bound) => value <= bound);
    values[bucket === -1 ? bounds.length : bucket]! += 1;
    values[bounds.length + 1]! += value;
  }

  /** Returns the counts since the last call. */
  take(): Series[] {
    const series = this.#routes.flatMap((route) => route.take());
    for (const [index, count] of this.#reads.entries()) {
      if (count > 0) series.push({ metric: "registry_reads_total", labels: readLabels(index), values: [count] });
    }
    this.#reads.fill(0);
    series.push(...this.#rare.values());
    this.#rare.clear();
    return series;
  }

  #valuesOf(metric: CountedName, labels: readonly string[]): number[] | undefined {
    const key = `${metric}\n${labels.join("\n")}`;
    const known = this.#rare.get(key);
    if (known !== undefined) return known.values;
    if (this.#rare.size >= MAX_ISOLATE_SERIES) return undefined;
    const values = new Array<number>(countNumbers(COUNTED[metric])).fill(0);
    this.#rare.set(key, { metric, labels, values });
    return values;
  }
}

function readLabels(index: number): string[] {
  const place = index >> 1;
  const readClass = READ_CLASSES[Math.floor(place / READ_SOURCES.length)]!;
  return [readClass, READ_SOURCES[place % READ_SOURCES.length]!, index % 2 === 1 ? "true" : "false"];
}
