/** The registry under test, with a transcript of its calls that explains a failed sequence. */
import { expect } from "vitest";
import { ERRORS, type ErrorName } from "../../contract/errors.ts";

/** An empty registry, in any runtime. */
export type EmptyRegistry = {
  fetch(path: string, init: RequestInit & { headers: Record<string, string> }): Promise<Response>;
  lastSeq(): Promise<number>;
  replayState(): Promise<{ current: unknown; replayed: unknown }>;
};

export type Answer = { status: number; body: unknown; text: string };
type Sent = { method: string; path: string; body: unknown; key: string | undefined; override?: string | undefined };
type WriteOptions = {
  keyed?: boolean;
  /** The reason for overriding protections and freezes. */
  override?: string;
  /** A refusal may open a proposal, which is an entry in the log. */
  mayPropose?: boolean;
};

const MAX_SHOWN_CHARACTERS = 600;

export class World {
  readonly #registry: EmptyRegistry;
  readonly #transcript: string[] = [];
  #keys = 0;
  #lastIsQuestion = false;
  /** The seq of the last log entry: there are no other writers. */
  #seq = 0;
  /** The last call with a key that changed something, to be repeated. */
  repeatable: { sent: Sent; answer: Answer } | undefined;

  constructor(registry: EmptyRegistry) {
    this.#registry = registry;
  }

  /** A call that may write; also returns whether it did. */
  async write(
    method: string,
    path: string,
    body?: unknown,
    options: WriteOptions = {},
  ): Promise<Answer & { wrote: boolean }> {
    const before = this.#seq;
    const key = options.keyed ? `key-${++this.#keys}` : undefined;
    const sent = { method, path, body, key, override: options.override };
    const answer = await this.#send(sent);
    const wrote = (await this.seq()) !== before;
    if (answer.status >= 400 && !options.mayPropose)
      expect(wrote, this.#last("changed the registry although it was refused")).toBe(false);
    if (wrote && key !== undefined) this.repeatable = { sent, answer };
    return { ...answer, wrote };
  }

  async read(path: string, body?: unknown): Promise<Answer> {
    return this.#send({ method: body === undefined ? "GET" : "POST", path, body, key: undefined }, true);
  }

  /** The same request with the same key: the same response, and no change. */
  async repeat(): Promise<void> {
    if (!this.repeatable) return;
    const before = this.#seq;
    const answer = await this.#send(this.repeatable.sent);
    expect(answer, this.#last("gave another answer to a repeated request")).toEqual(this.repeatable.answer);
    expect(await this.seq(), this.#last("did again what it was asked to repeat")).toBe(before);
  }

  async seq(): Promise<number> {
    this.#seq = await this.#registry.lastSeq();
    return this.#seq;
  }

  async expectReplayEqualsState(): Promise<void> {
    const { current, replayed } = await this.#registry.replayState();
    expect(replayed, "The log, replayed, gives other rows than the state").toEqual(current);
  }

  expectRefusal(api: "confluent" | "native", answer: Answer, ...names: readonly ErrorName[]): void {
    const shown =
      api === "confluent"
        ? (answer.body as { error_code?: number } | undefined)?.error_code
        : `${answer.status} ${(answer.body as { code?: string } | undefined)?.code}`;
    const expected = names.map((name) =>
      api === "confluent" ? ERRORS[name].confluent.error_code : `${ERRORS[name].status} ${ERRORS[name].code}`,
    );
    expect(expected, this.#last(`was not refused as ${names.join(" or ")}`)).toContain(shown);
  }

  expectOk(answer: Answer, status: number, fields: object = {}): void {
    expect(answer.status, this.#last("has another status than expected")).toBe(status);
    if (Object.keys(fields).length > 0) {
      expect(answer.body, this.#last("has another answer than expected")).toMatchObject(fields);
    }
  }

  /** Fails with details of the last call. */
  #last(what: string): string {
    return `${this.#transcript.at(-1)}\n${what}`;
  }

  /** An error with the calls that led to it. */
  explained(error: unknown): Error {
    const message = error instanceof Error ? error.message : String(error);
    return new Error(`${message}\n\nTranscript:\n${this.#transcript.join("\n")}`);
  }

  async #send({ method, path, body, key, override }: Sent, isQuestion = false): Promise<Answer> {
    const response = await this.#registry.fetch(path, {
      method,
      headers: {
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
        ...(key === undefined ? {} : { "Idempotency-Key": key }),
        ...(override === undefined ? {} : { "X-Registry-Override": override }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = (response.headers.get("Content-Type") ?? "").includes("json") && text !== "";
    const answer: Answer = { status: response.status, body: isJson ? JSON.parse(text) : undefined, text };
    // A query changes nothing, so only the last one can explain a failure.
    if (this.#lastIsQuestion) this.#transcript.pop();
    this.#lastIsQuestion = isQuestion;
    this.#transcript.push(shown({ method, path, body, key, override }, answer));
    expect(answer.status, this.#last("failed")).toBeLessThan(500);
    return answer;
  }
}

function shown({ method, path, body, key, override }: Sent, { status, text }: Answer): string {
  const header = [
    key === undefined ? "" : ` -H 'Idempotency-Key: ${key}'`,
    override === undefined ? "" : ` -H 'X-Registry-Override: ${override}'`,
  ].join("");
  const data = body === undefined ? "" : ` --json '${JSON.stringify(body)}'`;
  return `curl -X ${method} "$REGISTRY${path}"${header}${data}\n  # ${status} ${text.slice(0, MAX_SHOWN_CHARACTERS)}`;
}
