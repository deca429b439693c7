/** Adds up what every isolate of a deployment counted. */
import { DurableObject } from "cloudflare:workers";

export class MetricsObject extends DurableObject {}
