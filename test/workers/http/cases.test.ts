import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import confluent from "../../../contract/vectors/http/confluent.json";
import firstContact from "../../../contract/vectors/http/first-contact.json";
import identity from "../../../contract/vectors/http/identity.json";
import type { Bindings } from "../../../workers/edge.ts";
import { PLATFORMS } from "../../support/platform.ts";

/**
 * One call and its expected response: `answer` is a part of it, compared deeply; `absent` names members it must not
 * have.
 */
type Step = {
  method: string;
  path: string;
  /** The media type of the body, or request headers. */
  type?: string | Record<string, string>;
  body?: unknown;
  raw?: string;
  status: number;
  answer?: object;
  absent?: string[];
};
type Conversation = { id: string; why: string; steps: Step[] };

/** Answers that wait for the Protobuf and Avro work in progress. */
const PENDING: ReadonlySet<string> = new Set([]);

const CONVERSATIONS: readonly { file: string; conversations: readonly Conversation[] }[] = [
  { file: "first-contact.json", conversations: firstContact as Conversation[] },
  { file: "identity.json", conversations: identity as Conversation[] },
  { file: "confluent.json", conversations: (confluent as Conversation[]).filter(({ id }) => !PENDING.has(id)) },
];

describe.each(PLATFORMS)("conversations on the $name platform", ({ open }) => {
  describe.each(CONVERSATIONS)("$file", ({ conversations }) => {
    it.each(conversations)("$id: $why", async ({ steps }) => {
      const platform = open({ env: env as unknown as Bindings });

      for (const [index, step] of steps.entries()) {
        const sent = step.raw ?? (step.body === undefined ? undefined : JSON.stringify(step.body));
        const response = await platform.fetch(step.path, {
          method: step.method,
          headers: headersOf(step, sent !== undefined),
          ...(sent === undefined ? {} : { body: sent }),
        });
        const text = await response.text();
        const at = `step ${index + 1}, ${step.method} ${step.path}: ${text}`;

        expect(response.status, at).toBe(step.status);
        if (step.answer !== undefined) expect(JSON.parse(text), at).toMatchObject(step.answer);
        for (const member of step.absent ?? []) expect(JSON.parse(text), at).not.toHaveProperty(member);
      }
    });
  });
});

function headersOf({ type = {} }: Step, hasBody: boolean): Headers {
  const headers = new Headers(hasBody ? { "Content-Type": "application/json" } : {});
  const given = typeof type === "string" ? { "Content-Type": type } : type;
  for (const [name, value] of Object.entries(given)) headers.set(name, value);
  return headers;
}
