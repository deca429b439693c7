/** A wrong argument or an unreadable schema. The message is shown to the user, and the exit code is 2. */
export class UsageError extends Error {}

export function cannotRead(place: string, error: unknown): UsageError {
  return new UsageError(`${place} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
}
