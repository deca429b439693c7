/** The client of the directory: a deadline, and one error for every way in which it may be unreachable. */
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { withinDeadline } from "../../registry/deadline.ts";
import { DIRECTORY_NAME, type Directory } from "./protocol.ts";

/** An evicted object is back within tens of milliseconds, and the last result for a key is cached anyway. */
const DIRECTORY_DEADLINE_MS = 3_000;

/** The directory is unreachable. */
export class DirectoryUnreachable extends Error {
  readonly refusal: Refusal;

  constructor(cause?: unknown) {
    super("The directory is unreachable.", { cause });
    const detail = "The directory of keys and tenants is currently unreachable. Retry the request.";
    this.refusal = makeRefusal("NOT_READY", [detail], detail, { retryAfterSeconds: 1 });
  }
}

type DirectoryBinding = { DIRECTORY: { getByName(name: string): unknown } };

/** Calls the directory; anything thrown means that it is unreachable. */
export async function callDirectory<T>(env: DirectoryBinding, call: (directory: Directory) => Promise<T>): Promise<T> {
  try {
    const directory = env.DIRECTORY.getByName(DIRECTORY_NAME) as Directory;
    return await withinDeadline(DIRECTORY_DEADLINE_MS, call(directory), () => {
      throw new DirectoryUnreachable();
    });
  } catch (error) {
    if (error instanceof DirectoryUnreachable) throw error;
    throw new DirectoryUnreachable(error);
  }
}
