import { withinDeadline } from "../../registry/deadline.ts";

/** The result, or undefined if it fails or is late: a metrics page with a gap is better than a late one. */
export async function answerWithin<T>(milliseconds: number, asking: Promise<T>): Promise<T | undefined> {
  return withinDeadline(milliseconds, asking, () => undefined).catch(() => undefined);
}
