import type { BenchPart } from "../part.ts";
import { startRegistry } from "../servers.ts";

const SUBJECTS = 50;
const PROPERTIES = 40;

/** A bundle of fifty subjects over HTTP: every schema is new and is compared with its subject's version. */
export const bundle: BenchPart = {
  name: "bundle",
  title: "A bundle of 50 subjects",
  async run({ quick }) {
    const registry = await startRegistry();
    try {
      const url = `${registry.url}/api/v1`;
      for (let subject = 0; subject < SUBJECTS; subject += 1) await post(`${url}/schemas`, schemaOf(subject, 0));
      const times: number[] = [];
      // Every round uses different contents, so that no verdict is cached from the previous one.
      for (let round = 1; round <= (quick ? 3 : 15); round += 1) {
        const schemas = Array.from({ length: SUBJECTS }, (_, subject) => schemaOf(subject, round));
        const began = performance.now();
        await post(`${url}/compatibility/bundle`, { schemas });
        times.push(performance.now() - began);
      }
      const value = times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]!;
      return [{ what: "bundle of 50 subjects, median", value, unit: "ms", aim: { atMost: 500 } }];
    } finally {
      await registry.stop();
    }
  },
};

function schemaOf(subject: number, round: number) {
  const names = Array.from({ length: PROPERTIES }, (_, index) => `field_${subject}_${index}`);
  const properties = Object.fromEntries(names.map((name) => [name, { type: "string", maxLength: 100 + round }]));
  return { subject: `bundle-${subject}`, format: "json-schema", content: { type: "object", properties } };
}

async function post(url: string, body: unknown): Promise<void> {
  const headers = { "Content-Type": "application/json" };
  const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${url} gives ${response.status}: ${text}`);
}
