/** Tells one tenant's endpoints of what was logged. */
import { DurableObject } from "cloudflare:workers";

export class WebhooksObject extends DurableObject {}
