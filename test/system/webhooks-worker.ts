import { WebhooksObject as RealWebhooksObject } from "../../durable-objects/webhooks.ts";
import worker from "../../workers/index.ts";

export { FeedObject, MetricsObject, PrimaryObject } from "../../workers/index.ts";

/** How many seconds of the object pass in one: an hour in ten seconds. */
const CLOCK_RATE = 360;
/** Any moment will do, so long as it is the same for every life of the object. */
const BEGIN_MS = Date.UTC(2026, 0, 1);

/** Webhooks whose time runs faster; everything else is as it is deployed. */
export class WebhooksObject extends RealWebhooksObject {
  override now = () => BEGIN_MS + (Date.now() - BEGIN_MS) * CLOCK_RATE;
  override alarmAt = (atMs: number) => Date.now() + Math.max(0, (atMs - this.now()) / CLOCK_RATE);
  /** Real time: on a loaded machine a good endpoint takes its share of it. */
  override attemptTimeoutMs = 1_000;
}

export default worker;
