import { setTimeout as pause } from "node:timers/promises";

/** The fields of a record that the system tests use. */
export type RecordView = {
  id: string;
  subject: string;
  version_number: number | null;
  confluent_id: number | null;
  guid?: string;
  description: string | null;
  state: string;
  deleted?: boolean;
  content?: unknown;
  seq: number;
};

export type LogEntryView = {
  seq: number;
  header: string;
  leaf_hash: string;
  payload: { salt: string; text: string } | null;
};

/** `seq` is the log's end at the time of the response: for a write, its own entry. */
export type Answered = { status: number; body: unknown; seq: number | null };
/** The result of a request: a response, or none if the connection or the server was lost. */
export type Sent = Answered | { lost: string };

/** Sends one request of the native API. A 5xx counts as lost, because the outcome is unknown. */
export function send(url: string, method: string, path: string, body?: unknown, key?: string): Promise<Sent> {
  return sendTo(`${url}/api/v1${path}`, method, body, key);
}

/** The same for a full URL. */
export async function sendTo(address: string, method: string, body?: unknown, key?: string): Promise<Sent> {
  try {
    const response = await fetch(address, {
      method,
      headers: {
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(key === undefined ? {} : { "Idempotency-Key": key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (response.status >= 500) return { lost: `${response.status} ${text.slice(0, 200)}` };
    const seq = response.headers.get("X-Registry-Seq")?.split(".")[1];
    return {
      status: response.status,
      body: text === "" ? null : JSON.parse(text),
      seq: seq === undefined ? null : Number(seq),
    };
  } catch (error) {
    return { lost: String((error as Error).cause ?? error) };
  }
}

const ATTEMPTS = 40;
const PAUSE_MS = 250;

/** Repeats a lost request, with the same key, until it is answered. */
export function sendUntilAnswered(
  url: string,
  method: string,
  path: string,
  body?: unknown,
  key?: string,
): Promise<Answered> {
  return sendToUntilAnswered(`${url}/api/v1${path}`, method, body, key);
}

/** The same for a full URL. */
export async function sendToUntilAnswered(
  address: string,
  method: string,
  body?: unknown,
  key?: string,
): Promise<Answered> {
  let last = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const sent = await sendTo(address, method, body, key);
    if (!("lost" in sent)) return sent;
    last = sent.lost;
    await pause(PAUSE_MS);
  }
  throw new Error(`${method} ${address} was never answered: ${last}`);
}

/** Every record of a subject by number, including soft-deleted ones. */
export async function recordsOf(url: string, subject: string): Promise<RecordView[]> {
  return allPages<RecordView>(url, `/subjects/${encodeURIComponent(subject)}/versions?deleted=true&limit=500`);
}

/** The log, or the entries after a seq. */
export async function logOf(url: string, after = 0): Promise<LogEntryView[]> {
  const entries: LogEntryView[] = [];
  for (;;) {
    const page = await getJson(url, `/log?limit=500&after=${entries.at(-1)?.seq ?? after}`);
    const { items } = page as { items: LogEntryView[] };
    if (items.length === 0) return entries;
    entries.push(...items);
  }
}

async function allPages<T>(url: string, path: string): Promise<T[]> {
  const all: T[] = [];
  let cursor = "";
  for (;;) {
    const page = await getJson(url, `${path}${cursor}`);
    const { items, next_cursor } = page as { items: T[]; next_cursor: string | null };
    all.push(...items);
    if (next_cursor === null || next_cursor === undefined) return all;
    cursor = `&cursor=${encodeURIComponent(next_cursor)}`;
  }
}

async function getJson(url: string, path: string): Promise<unknown> {
  const { status, body } = await sendUntilAnswered(url, "GET", path);
  if (status !== 200) throw new Error(`GET ${path} gives ${status}: ${JSON.stringify(body)}`);
  return body;
}
