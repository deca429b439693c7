/** Long work gives the other requests of its isolate a turn: a comparison takes up to a second, and many may follow each other. */

/**
 * Resolves in a task of its own, after whatever has arrived meanwhile. A promise that is resolved already would not do: its
 * reactions run before any other request gets its turn.
 */
export function giveTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
