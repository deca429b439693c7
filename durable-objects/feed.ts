/** Fans one tenant's log out to those who listen. */
import { DurableObject } from "cloudflare:workers";

export class FeedObject extends DurableObject {}
