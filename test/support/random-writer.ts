/** A client that writes at random, mostly valid requests and occasionally ones that must be refused. */
import { type Acknowledged, avro, DEFAULTS, repeatWrite, sendWrite, type Write } from "./acknowledged.ts";
import type { Random } from "./clock.ts";

type Choice = { share: number; write(key: string): Write | undefined };

export class RandomWriter {
  /** The interrupted write, if the last one was: its outcome is not known yet. */
  lost: Write | undefined;
  readonly #acknowledged: Acknowledged;
  readonly #random: Random;
  readonly #name: string;
  /** Shared by all writers, so that numbers are contended for. */
  readonly #shared: readonly string[];
  /** Only this writer sets its level and its mode, so that the last change is known. */
  readonly #own: string;
  readonly #mine: string[] = [];
  #level: string | null = null;
  #mode: string = DEFAULTS.mode;
  #next = 0;

  constructor(name: string, shared: readonly string[], acknowledged: Acknowledged, random: Random) {
    this.#name = name;
    this.#shared = shared;
    this.#own = `own-${name}`;
    this.#acknowledged = acknowledged;
    this.#random = random;
  }

  /** Writes until a response is lost. */
  async writeUntilLost(url: string): Promise<void> {
    for (;;) {
      const write = this.#choose();
      const sent = await sendWrite(url, write);
      if ("lost" in sent) {
        this.lost = write;
        return;
      }
      this.#take(write, sent);
    }
  }

  /** Determines the outcome of the interrupted write by its key. */
  async resolveLost(url: string): Promise<void> {
    if (!this.lost) return;
    this.#take(this.lost, await repeatWrite(url, this.lost));
    this.lost = undefined;
  }

  #take(write: Write, outcome: Parameters<Acknowledged["take"]>[1]): void {
    this.#acknowledged.take(write, outcome);
    if (outcome.status >= 300) return;
    if (write.changes === "register") this.#mine.push((outcome.body as { id: string }).id);
    if (write.changes === "changeSet") {
      for (const { id } of (outcome.body as { changes: { id: string }[] }).changes) this.#mine.push(id);
    }
    if (write.changes === "level") this.#level = write.to;
    if (write.changes === "mode") this.#mode = write.to!;
  }

  readonly #choices: readonly Choice[] = [
    { share: 40, write: (key) => this.#register(key, this.#oneOf(this.#shared)!) },
    // Refused while the subject is read-only, and while its level is not NONE.
    { share: 15, write: (key) => this.#register(key, this.#own) },
    { share: 10, write: (key) => this.#describe(key) },
    { share: 10, write: (key) => this.#move("softDelete", key) },
    { share: 8, write: (key) => this.#move("undelete", key) },
    { share: 5, write: (key) => this.#move("hardDelete", key) },
    { share: 10, write: (key) => this.#makeChanges(key) },
    { share: 4, write: (key) => this.#propose(key) },
    { share: 6, write: (key) => this.#setLevel(key) },
    { share: 6, write: (key) => this.#setMode(key) },
  ];

  #choose(): Write {
    this.#next += 1;
    const key = `${this.#name}-${this.#next}`;
    let dice = this.#random() * this.#choices.reduce((sum, { share }) => sum + share, 0);
    const choice = this.#choices.find(({ share }) => {
      dice -= share;
      return dice < 0;
    });
    return choice?.write(key) ?? this.#register(key, this.#oneOf(this.#shared)!);
  }

  #register(key: string, subject: string): Write {
    const field = `f_${key.replaceAll("-", "_")}`;
    const body = { subject, format: "avro", content: avro(field) };
    return { changes: "register", method: "POST", path: "/api/v1/schemas", body, key, subject, field };
  }

  /** One version in every shared subject, or none. */
  #makeChanges(key: string): Write {
    const registers = this.#shared.map((subject, index) => ({
      subject,
      field: `f_${key.replaceAll("-", "_")}_${index}`,
    }));
    const changes = registers.map(({ subject, field }) => ({
      operation: "register",
      subject,
      format: "avro",
      content: avro(field),
    }));
    return { changes: "changeSet", method: "POST", path: "/api/v1/change-sets", body: { changes }, key, registers };
  }

  /** Refused once too many are open. */
  #propose(key: string): Write {
    const content = avro(`proposed_${key.replaceAll("-", "_")}`);
    const changes = [{ operation: "register", subject: this.#own, format: "avro", content }];
    return { changes: "proposal", method: "POST", path: "/api/v1/proposals", body: { changes }, key };
  }

  #describe(key: string): Write | undefined {
    const id = this.#oneOf(this.#mine);
    const description = `as of ${key}`;
    const path = `/api/v1/schemas/${id}`;
    return id === undefined
      ? undefined
      : { changes: "description", method: "PATCH", path, body: { description }, key, id, description };
  }

  /** Any of its own records, in any state: an invalid transition is refused. */
  #move(changes: "softDelete" | "hardDelete" | "undelete", key: string): Write | undefined {
    const id = this.#oneOf(this.#mine);
    if (id === undefined) return undefined;
    const path = `/api/v1/schemas/${id}`;
    if (changes === "undelete") return { changes, method: "POST", path: `${path}/undelete`, key, id };
    return { changes, method: "DELETE", path: changes === "hardDelete" ? `${path}?permanent=true` : path, key, id };
  }

  #setLevel(key: string): Write {
    const path = `/api/v1/subjects/${this.#own}/compatibility`;
    const to = this.#level === null ? "FULL" : null;
    return { changes: "level", method: "PUT", path, body: { level: to }, key, subject: this.#own, to };
  }

  #setMode(key: string): Write {
    const to = this.#mode === "READONLY" ? "READWRITE" : "READONLY";
    return {
      changes: "mode",
      method: "PUT",
      path: `/mode/${this.#own}`,
      body: { mode: to },
      key,
      subject: this.#own,
      to,
    };
  }

  #oneOf<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.#random() * list.length)];
  }
}
