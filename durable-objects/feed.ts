/** Fans one tenant's log out to those who listen. */
import { DurableObject } from "cloudflare:workers";
import type { FeedStatus } from "./feed/protocol";

export type { FeedStatus } from "./feed/protocol";

export class FeedObject extends DurableObject {
  /** For the operator's metrics. */
  status(_: { v: number }): FeedStatus {
    return { subscribers: 0, stalled: 0, tip: null, kept: 0, sent: 0, droppedSlow: 0 };
  }
}
