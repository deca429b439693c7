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
    help: "Commands sent to the primary, by what became of them.",
    labels: ["command", "outcome"],
  },
  registry_commit_needs_rounds: {
    type: "histogram",
    help: "Rounds of one commit in which the primary asked for facts before it decided.",
    labels: ["command"],
    bounds: [0, 1, 2],
  },
  registry_commit_conflicts_total: {
    type: "counter",
    help: "Commits that were asked for facts again after they had brought those they were asked for: something else was written in between.",
    labels: ["command"],
  },
  registry_errors_total: {
    type: "counter",
    help: "Error answers, by the code of the contract.",
    labels: ["code"],
  },
  registry_queue_batches_total: {
    type: "counter",
    help: "Batches that the queue delivered.",
    labels: ["outcome"],
    from0: ["done", "retried", "failed"],
  },
  registry_queue_messages_total: {
    type: "counter",
    help: "Messages that the queue delivered, by what became of them.",
    labels: ["outcome"],
    from0: ["done", "retried"],
  },
  registry_cron_runs_total: {
    type: "counter",
    help: "Runs of the cron trigger.",
    labels: ["outcome"],
    from0: ["done", "failed"],
  },
  registry_metrics_flushes_total: {
    type: "counter",
    help: "Times an isolate handed in what it had counted.",
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
  registry_source_up: gauge("Whether a source of this page answered in time: 1 or 0.", ["source"]),
  registry_log_seq: gauge("The log's last entry."),
  registry_storage_used_bytes: gauge("What the primary's storage holds."),
  registry_storage_limit_bytes: gauge("What the primary's storage may hold; registrations are refused above 95 %."),
  registry_replication_lag_entries: gauge("Entries of the log that the searchable copy lacks."),
  registry_replication_lag_seconds: gauge(
    "Age of the oldest entry that the searchable copy lacks; 0 when it lacks none.",
  ),
  registry_replication_parked_entries: gauge("Entries that failed too often and were set aside."),
  registry_feed_subscribers: gauge("Sockets and streams that listen to the change feed now."),
  registry_feed_stalled_subscribers: gauge("Subscribers that are sent nothing more until they acknowledge."),
  registry_feed_lag_entries: gauge("Entries of the log that the feed has not read; absent while nobody listens."),
  registry_feed_sent_total: counter("Events sent to subscribers, each counted for every subscriber."),
  registry_feed_dropped_subscribers_total: counter("Subscribers closed because they did not keep up."),
  registry_webhook_endpoints: gauge("Webhook endpoints, by whether they are enabled.", ["tenant", "state"]),
  registry_webhook_circuits_open: gauge("Endpoints that are left alone for a while because they failed."),
  registry_webhook_pending_deliveries: gauge("Deliveries that wait for their first or next attempt."),
  registry_webhook_oldest_pending_seconds: gauge(
    "Age of the oldest event that waits for an endpoint; 0 when none does.",
  ),
  registry_webhook_dead_letters: gauge("Deliveries that were given up and can be replayed."),
  registry_webhook_lag_entries: gauge("Entries of the log that have not been turned into deliveries."),
  registry_webhook_outcomes_total: counter("What became of deliveries and attempts.", ["tenant", "outcome"]),
  registry_backup_last_level_timestamp_seconds: gauge("When a backup last found nothing left to do."),
  registry_backup_last_export_timestamp_seconds: gauge("When an entry was last added to the backup."),
  registry_backup_lag_entries: gauge("Entries of the log that the backup lacks."),
  registry_backup_failing: gauge("1 while the newest backup run failed."),
} as const satisfies Record<string, MetricDefinition>;

export type AskedName = keyof typeof ASKED;

/**
 * Label values in definition order, and one number; a histogram has one count per bucket (not cumulative), the count above
 * all bounds, and the sum.
 */
export type Series = { metric: CountedName; labels: readonly string[]; values: readonly number[] };

/** How many numbers a series of this metric has. */
export function countNumbers({ type, bounds = [] }: MetricDefinition): number {
  return type === "histogram" ? bounds.length + 2 : 1;
}
