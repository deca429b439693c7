/**
 * All metrics: name, meaning and labels. docs/operate.md explains them, dashboard and alerts use them, and a test checks
 * that all three agree.
 */

type MetricType = "counter" | "gauge" | "histogram";
export type MetricDefinition = {
  type: MetricType;
  help: string;
  labels: readonly string[];
  /** Upper bounds of a histogram's buckets, ascending, without +Inf. */
  bounds?: readonly number[];
  /** Label values exported as 0 before their first count, so that the first count is an increase. Only for metrics with one label. */
  from0?: readonly string[];
};

/** From a response out of memory to the primary's deadline, a few steps per power of ten. */
export const LATENCY_BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** Counted by isolates and summed by the MetricsObject. */
export const COUNTED = {
  registry_requests_total: {
    type: "counter",
    help: "Requests answered, by route as the router spells it.",
    labels: ["api", "method", "route", "status"],
  },
  registry_request_duration_seconds: {
    type: "histogram",
    help: "Time from a request's arrival to its answer, as the edge's clock sees it.",
    labels: ["api", "method", "route"],
    bounds: LATENCY_BOUNDS_SECONDS,
  },
  registry_reads_total: {
    type: "counter",
    help: "Reads answered, by class of what was read and by where it was found.",
    labels: ["class", "source", "stale"],
  },
  registry_commits_total: {
    type: "counter",
    help: "Commands sent to the primary, by outcome.",
    labels: ["command", "outcome"],
  },
  registry_commit_needs_rounds: {
    type: "histogram",
    help: "Rounds per commit in which the primary requested facts before deciding.",
    labels: ["command"],
    bounds: [0, 1, 2],
  },
  registry_commit_conflicts_total: {
    type: "counter",
    help: "Commits that had to supply further facts because of a concurrent write.",
    labels: ["command"],
  },
  registry_errors_total: {
    type: "counter",
    help: "Error responses, by error code.",
    labels: ["code"],
  },
  registry_validations_total: {
    type: "counter",
    help: "Values and messages validated, by engine.",
    labels: ["engine"],
    from0: ["compiled", "interpreted"],
  },
  registry_validating_isolates_total: {
    type: "counter",
    help: "Isolates asked for by compiled validation, once a day in each isolate, by outcome.",
    labels: ["outcome"],
    from0: ["started", "over_budget"],
  },
  registry_queue_batches_total: {
    type: "counter",
    help: "Queue batches, by outcome.",
    labels: ["outcome"],
    from0: ["done", "retried", "failed"],
  },
  registry_queue_messages_total: {
    type: "counter",
    help: "Queue messages, by outcome.",
    labels: ["outcome"],
    from0: ["done", "retried"],
  },
  registry_cron_runs_total: {
    type: "counter",
    help: "Cron runs, by outcome.",
    labels: ["outcome"],
    from0: ["done", "failed"],
  },
  registry_metrics_flushes_total: {
    type: "counter",
    help: "Flushes of isolates' counts, by outcome.",
    labels: ["outcome"],
    from0: ["added", "failed", "refused"],
  },
} as const satisfies Record<string, MetricDefinition>;

export type CountedName = keyof typeof COUNTED;

const OF_TENANT = ["tenant"] as const;
const gauge = (help: string, labels: readonly string[] = OF_TENANT) => ({ type: "gauge" as const, help, labels });
const counter = (help: string, labels: readonly string[] = OF_TENANT) => ({ type: "counter" as const, help, labels });

/** Read at each scrape. Each source fails independently, so an unavailable one only drops its own metrics. */
export const ASKED = {
  registry_source_up: gauge("1 if a source of this page answered in time, else 0.", ["source"]),
  registry_validating_isolates: gauge(
    "Distinct validating isolates used today, which the platform bills by the day.",
    [],
  ),
  registry_log_seq: gauge("Seq of the last log entry."),
  registry_storage_used_bytes: gauge("Bytes used in the primary's storage."),
  registry_storage_limit_bytes: gauge("Limit of the primary's storage; registrations are refused above 95 %."),
  registry_replication_lag_entries: gauge("Log entries not yet applied to the read model."),
  registry_replication_lag_seconds: gauge(
    "Age of the oldest log entry not yet applied to the read model; 0 if there is none.",
  ),
  registry_replication_parked_entries: gauge("Entries that failed too often and were parked."),
  registry_feed_subscribers: gauge("Current subscribers of the change feed."),
  registry_feed_stalled_subscribers: gauge("Subscribers that receive nothing until they acknowledge."),
  registry_feed_lag_entries: gauge("Log entries the feed has not read; absent without subscribers."),
  registry_feed_sent_total: counter("Events sent, counted per subscriber."),
  registry_feed_dropped_subscribers_total: counter("Subscribers closed because they did not keep up."),
  registry_webhook_endpoints: gauge("Webhook endpoints, by whether they are enabled.", ["tenant", "state"]),
  registry_webhook_circuits_open: gauge("Endpoints with an open circuit after failures."),
  registry_webhook_pending_deliveries: gauge("Deliveries waiting for an attempt."),
  registry_webhook_oldest_pending_seconds: gauge("Age of the oldest event waiting for delivery; 0 if there is none."),
  registry_webhook_dead_letters: gauge("Deliveries that were given up and can be replayed."),
  registry_webhook_lag_entries: gauge("Log entries that have not become deliveries yet."),
  registry_webhook_outcomes_total: counter("Deliveries and attempts, by outcome.", ["tenant", "outcome"]),
  registry_backup_last_level_timestamp_seconds: gauge("When the backup last caught up with the log."),
  registry_backup_last_export_timestamp_seconds: gauge("When an entry was last added to the backup."),
  registry_backup_lag_entries: gauge("Log entries missing from the backup."),
  registry_backup_failing: gauge("1 if the latest backup run failed."),
} as const satisfies Record<string, MetricDefinition>;

export type AskedName = keyof typeof ASKED;

/** About all tenants of a deployment, so that one of them must not see it. */
export const OF_DEPLOYMENT: ReadonlySet<string> = new Set([...Object.keys(COUNTED), "registry_validating_isolates"]);

/**
 * Label values in definition order, and one number; a histogram has one count per bucket (not cumulative), the count above
 * all bounds, and the sum.
 */
export type Series = { metric: CountedName; labels: readonly string[]; values: readonly number[] };

/** How many numbers a series of this metric has. */
export function countNumbers({ type, bounds = [] }: MetricDefinition): number {
  return type === "histogram" ? bounds.length + 2 : 1;
}
