// Imported by the scripts that an operator runs against a registry: asking it, waiting while it is not ready, and stopping between two steps.
const RETRIES = 8;
const FIRST_PAUSE_MS = 500;

/** Aborted by Ctrl-C or a request to end; a second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(130);
      console.error("Stopping after this step …");
      stopping.abort();
    });
  }
  return stopping.signal;
}

/** The body of a successful answer. Repeats what may pass by itself, longer and longer; throws with what the registry says otherwise. */
export async function ask<T>(url: string, method: "GET" | "POST", path: string, body?: unknown): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await send(url, method, path, body);
    if (typeof answer !== "string") {
      const said = await answer.text();
      if (answer.ok) return JSON.parse(said) as T;
      if (![429, 502, 503, 504].includes(answer.status) || attempt === RETRIES) {
        throw new Error(`${method} ${path} answers ${answer.status}: ${detailOf(said)}`);
      }
    } else if (attempt === RETRIES) {
      throw new Error(`The registry at ${url} cannot be reached: ${answer}`);
    }
    await pause(FIRST_PAUSE_MS * 2 ** (attempt - 1));
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Prints over the last line where that is a terminal, and a line a second elsewhere. */
export function progressLine(): (text: string) => void {
  let lastMs = 0;
  return (text) => {
    if (process.stderr.isTTY) return void process.stderr.write(`\r\x1b[K${text}`);
    if (Date.now() - lastMs < 1_000) return;
    lastMs = Date.now();
    console.error(text);
  };
}

async function send(url: string, method: string, path: string, body: unknown): Promise<Response | string> {
  try {
    return await fetch(`${url.replace(/\/$/, "")}/api/v1${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
    });
  } catch (error) {
    return String((error as Error).cause ?? error);
  }
}

function detailOf(text: string): string {
  try {
    return (JSON.parse(text) as { detail?: string }).detail ?? text;
  } catch {
    return text;
  }
}
