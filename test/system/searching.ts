/** Registers and searches in a started registry. */
import { eventually } from "../support/registry-process.ts";

/** The copy follows within a second or two; a loaded machine takes longer. */
export const FOLLOWS_WITHIN_MS = 60_000;

export type Page = {
  items: {
    record: { subject: string; version_number: number };
    score: number;
    highlights: { in: string; path?: string }[];
  }[];
  total: number;
  match: string;
  as_of: number;
  next_cursor?: string;
};

export async function register(url: string, body: object): Promise<number> {
  const response = await fetch(`${url}/api/v1/schemas`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

export async function search(url: string, parameters: Record<string, string>): Promise<Page> {
  const response = await fetch(`${url}/api/v1/search?${new URLSearchParams(parameters)}`);
  const body = await response.json();
  if (!response.ok) throw new Error(`Searching gives ${response.status}: ${JSON.stringify(body)}`);
  return body as Page;
}

export const subjectsOf = ({ items }: Page) => items.map(({ record }) => record.subject);

export async function caughtUp(url: string): Promise<boolean> {
  return eventually(async () => {
    const response = await fetch(`${url}/api/v1/read-model`);
    const { seq, primary_seq, lag_entries } = (await response.json()) as Record<string, number>;
    return response.ok && lag_entries === 0 && seq === primary_seq;
  }, FOLLOWS_WITHIN_MS);
}
