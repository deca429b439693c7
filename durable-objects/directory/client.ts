/** The way to the directory: deadline, and one error for every way in which it cannot be asked. */
import { makeRefusal, type Refusal } from "../../contract/errors.ts";
import { withinDeadline } from "../../registry/deadline.ts";
import { DIRECTORY_NAME, type Directory } from "./protocol.ts";

/** An object that was evicted is back within tens of milliseconds; a key's last answer is at hand anyway. */
export const DIRECTORY_DEADLINE_MS = 3_000;

/** The directory could not be asked. */
export class DirectoryUnreachable extends Error {
  readonly refusal: Refusal;

  constructor(cause?: unknown) {
    super("The directory cannot be reached.", { cause });
    const detail = "The directory of keys and tenants cannot be reached at the moment. Repeat the request.";
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
