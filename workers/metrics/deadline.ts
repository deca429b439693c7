/** The answer, or undefined if it fails or is late: a metrics page with a gap is better than a late one. */
export async function answerWithin<T>(milliseconds: number, asking: Promise<T>): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([asking, late]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
