/**
 * The promise's value, or what `late` gives (or throws) once the time is up. The work itself goes on, and a failure after its
 * time is ignored.
 */
export async function withinDeadline<T, L = never>(
  milliseconds: number,
  work: Promise<T>,
  late: () => L,
): Promise<T | L> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const deadline = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, milliseconds));
  }).then(late);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
