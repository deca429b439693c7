/**
 * Decodes an answer in the projected form to a value of the registered schema. It only converts; validation follows.
 */
import { plainEqualityKey } from "../json/validate/equality.ts";
import { isMembers } from "../json/validate/evaluation.ts";
import type { AnswerContext } from "./answer-context.ts";
import type { DecodeStep, MemberStep, RestStep } from "./decoder.ts";

/**
 * Recursion is bounded by the depth of the answer, which its reader has checked, times the alternatives around each
 * value.
 */
export function decodeValue(context: AnswerContext, value: unknown): unknown {
  const { root } = context.decoder;
  return root === undefined ? value : new Decoding(context).run(root, value);
}

type Members = Record<string, unknown>;

class Decoding {
  /** Nested alternatives request the same part repeatedly. */
  readonly #done = new WeakMap<object, Map<DecodeStep, unknown>>();

  readonly #context: AnswerContext;

  constructor(context: AnswerContext) {
    this.#context = context;
  }

  run(step: DecodeStep | undefined | null, value: unknown): unknown {
    if (step === undefined || step === null) return value;
    if (typeof value !== "object" || value === null) return this.#decode(step, value);
    const known = this.#done.get(value) ?? new Map<DecodeStep, unknown>();
    this.#done.set(value, known);
    if (!known.has(step)) known.set(step, this.#decode(step, value));
    return known.get(step);
  }

  #decode(step: DecodeStep, value: unknown): unknown {
    switch (step.op) {
      case "object":
        return isMembers(value) ? this.#object(step, value) : value;
      case "items":
        return Array.isArray(value) ? value.map((item) => this.run(step.decode, item)) : value;
      case "prefix":
        if (!Array.isArray(value)) return value;
        return value.map((item, index) => this.run(index < step.items.length ? step.items[index] : step.rest, item));
      case "tuple":
        return isMembers(value) ? this.#tuple(step.members, step.rest, value) : value;
      case "entries":
        return Array.isArray(value) ? this.#entries(step, value) : value;
      case "json_text":
        return typeof value === "string" ? parsedOr(value) : value;
      case "values":
        return typeof value === "string" ? valueMeant(step, value) : value;
      case "unwrap":
        return isMembers(value) && Object.hasOwn(value, step.member)
          ? this.run(step.decode, value[step.member])
          : value;
      case "choose":
        return this.#choose(step, value);
      default:
        return this.run(this.#context.definition(step.name), value);
    }
  }

  #object(step: Extract<DecodeStep, { op: "object" }>, value: Members): Members {
    const decoded = new Map<string, unknown>();
    const handled = new Set<string>();
    const byGiven = new Map(step.members.map((member) => [member.given, member]));
    const put = (member: MemberStep) => {
      handled.add(member.given);
      const given = value[member.given];
      if (!isAbsent(member, given)) decoded.set(member.name, this.run(member.decode, given));
    };
    if (step.in_order) for (const member of step.members) if (Object.hasOwn(value, member.given)) put(member);
    for (const [given, inner] of Object.entries(value)) {
      if (handled.has(given) || given === step.rest?.member) continue;
      const member = byGiven.get(given);
      if (member !== undefined) put(member);
      else decoded.set(given, this.run(step.others, inner));
    }
    if (step.rest !== undefined && Object.hasOwn(value, step.rest.member)) {
      const rest = this.run(step.rest.decode, value[step.rest.member]);
      // An entry must not replace a member with a declared name.
      const named = new Set(step.members.map(({ name }) => name));
      if (isMembers(rest)) {
        for (const [name, inner] of Object.entries(rest)) if (!named.has(name)) decoded.set(name, inner);
      } else decoded.set(step.rest.member, rest);
    }
    return Object.fromEntries(decoded);
  }

  #tuple(members: readonly MemberStep[], rest: RestStep | undefined, value: Members): unknown {
    const items: unknown[] = [];
    for (const member of members) {
      const given = value[member.given];
      if (!Object.hasOwn(value, member.given) || isAbsent(member, given)) return items;
      items.push(this.run(member.decode, given));
    }
    const further = rest === undefined ? [] : this.run(rest.decode, value[rest.member]);
    return Array.isArray(further) ? [...items, ...(further as unknown[])] : items;
  }

  #entries(step: Extract<DecodeStep, { op: "entries" }>, value: readonly unknown[]): unknown {
    const isEntry = (entry: unknown): entry is Members =>
      isMembers(entry) && typeof entry[step.key] === "string" && Object.hasOwn(entry, step.value);
    if (!value.every(isEntry)) return value;
    return Object.fromEntries(
      value.map((entry) => [
        String(this.run(step.decode_key, entry[step.key])),
        this.run(step.decode, entry[step.value]),
      ]),
    );
  }

  #choose({ branches }: Extract<DecodeStep, { op: "choose" }>, value: unknown): unknown {
    const taking = branches.filter((branch) => this.#context.takesProjected(branch, value));
    for (const branch of [...taking, ...branches]) {
      const decoded = this.run(branch.decode, value);
      if (this.#context.takesRegistered(branch, decoded)) return decoded;
    }
    return taking.length === 0 ? value : this.run(taking[0]!.decode, value);
  }
}

function isAbsent({ absent }: MemberStep, given: unknown): boolean {
  if (absent === undefined) return false;
  if (typeof absent.value !== "string" || typeof given !== "string") return given === absent.value;
  return given.toLowerCase() === absent.value;
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function valueMeant(step: Extract<DecodeStep, { op: "values" }>, value: string): unknown {
  const exact = step.pairs.find(({ given }) => given === value);
  if (exact !== undefined) return exact.means;
  if (!step.ignore_case) return value;
  const folded = value.toLowerCase();
  const meant = step.pairs.filter(({ given }) => given.toLowerCase() === folded);
  return meant.length === 1 ? meant[0]!.means : value;
}

/** Whether two plain values are equal as JSON. */
export function isSameValue(a: unknown, b: unknown): boolean {
  return plainEqualityKey(a) === plainEqualityKey(b);
}
