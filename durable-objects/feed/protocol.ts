/** What is said to and by a tenant's feed: RPC, the socket's messages, its close codes, and every bound of it. */
import type { Follower } from "../protocol";

/** What the operator sees of one tenant's feed. Counters go on over hibernation and restarts. */
export type FeedStatus = {
  /** Sockets that are open now, those of SSE streams included. */
  subscribers: number;
  /** Of these, how many wait for an acknowledgement before they are sent more. */
  stalled: number;
  /** The seq up to which the feed has read the log; null while nobody listens. */
  tip: number | null;
  /** Events kept for those who reconnect. */
  kept: number;
  /** Messages with an event, to all subscribers together, ever. */
  sent: number;
  /** Subscribers that were closed because they did not acknowledge, ever. */
  droppedSlow: number;
};

/** The verbs of a feed, as the edge and the queue's consumer see them. `fetch` takes a socket (see subscriptionRequest). */
export type Feed = Follower & {
  status(args: { v: number }): Promise<FeedStatus>;
  fetch(request: Request): Promise<Response>;
};
