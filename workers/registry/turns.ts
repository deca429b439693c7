/**
 * Lets other requests of the isolate run during long work: a comparison takes up to a second, and a request may make
 * many.
 */

/**
 * Resolves in a new task, after events that have arrived in the meantime. A resolved promise would not suffice, because
 * its reactions run before any other request continues.
 */
export function giveTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
