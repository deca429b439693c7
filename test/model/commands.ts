/** The commands of a sequence: chosen by fast-check, carried out on the registry, and predicted by the model. */
import fc from "fast-check";
import {
  type Change,
  deleteConfig,
  deleteContext,
  deleteMode,
  deleteRecord,
  deleteSubject,
  deleteVersion,
  patch,
  setConfig,
  setMode,
  setRules,
} from "./change-commands.ts";
import { CONTENTS, type Dialect } from "./contents.ts";
import { redefinesItself } from "./predict-register.ts";
import { check, lookUp } from "./question-commands.ts";
import { activate, type Registering, register, undelete } from "./register-commands.ts";
import {
  DEFAULT,
  GLOBAL,
  type Level,
  type Mode,
  type ModelRecord,
  type Name,
  type RegistryState,
} from "./registry-state.ts";
import type { World } from "./world.ts";

type Run = (state: RegistryState, world: World) => Promise<void>;

/** One step of a sequence: what is shown of it is what shrinking leaves. */
class Step implements fc.AsyncCommand<RegistryState, World> {
  readonly #text: string;
  readonly #run: Run;

  constructor(text: string, run: Run) {
    this.#text = text;
    this.#run = run;
  }

  check(): boolean {
    return true;
  }

  async run(state: RegistryState, world: World): Promise<void> {
    await this.#run(state, world);
  }

  toString(): string {
    return this.#text;
  }
}

function step<T>(
  name: string,
  arguments_: fc.Arbitrary<T>,
  run: (state: RegistryState, world: World, asked: T) => Promise<void>,
) {
  return arguments_.map((asked) => new Step(`${name} ${shown(asked)}`, (state, world) => run(state, world, asked)));
}

function unless<T>(
  isOut: (state: RegistryState, asked: T) => boolean,
  run: (state: RegistryState, world: World, asked: T) => Promise<void>,
) {
  return async (state: RegistryState, world: World, asked: T) => {
    if (!isOut(state, asked)) await run(state, world, asked);
  };
}

/** Contents by their names: what they hold stands in the transcript. */
function shown(asked: unknown): string {
  return JSON.stringify(asked, (key, value) => (key === "content" ? value.name : value));
}

const OTHER_CONTEXT = ".c";
const CONTEXTS = [DEFAULT, OTHER_CONTEXT];
/** Most of what happens, happens to few subjects, or nothing would ever meet. */
const NAMES: readonly fc.WeightedArbitrary<Name>[] = [
  { weight: 6, arbitrary: fc.constant({ context: DEFAULT, subject: "s" }) },
  { weight: 3, arbitrary: fc.constant({ context: DEFAULT, subject: "t" }) },
  { weight: 1, arbitrary: fc.constant({ context: DEFAULT, subject: "alias" }) },
  { weight: 2, arbitrary: fc.constant({ context: OTHER_CONTEXT, subject: "s" }) },
];
const LEVELS: readonly Level[] = [
  "NONE",
  "BACKWARD",
  "BACKWARD_TRANSITIVE",
  "FORWARD",
  "FORWARD_TRANSITIVE",
  "FULL",
  "FULL_TRANSITIVE",
];
/** What sequences are made of, with the bounds of 32 bits: the largest, the last that has a successor, and past the end. */
const IMPORTED_NUMBERS = [1, 2, 3, 5, 100, 2 ** 31 - 2, 2 ** 31 - 1];

const name = fc.oneof(...NAMES);
const keyed = fc.boolean();
const api = fc.constantFrom("confluent" as const, "native" as const);
const level = fc.constantFrom(...LEVELS);
const rarely = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 9 });
const scope = fc.oneof(
  { weight: 5, arbitrary: name },
  { weight: 2, arbitrary: fc.constantFrom(...CONTEXTS).map((context): Name => ({ context, subject: "" })) },
  { weight: 1, arbitrary: fc.constant(GLOBAL) },
);
const reference = fc.record({
  name: fc.constant("R"),
  subject: fc.constantFrom("s", "t"),
  version: fc.constantFrom(-1, 1, 2, 3),
});
const metadata = fc.constantFrom(null, null, null, {}, { properties: { team: "a" } });
const dialect = fc.constantFrom<Dialect>("draft-07", "2019-09", "2020-12");

const anyContent = fc.nat({ max: CONTENTS.length - 1 }).map((index) => CONTENTS[index]!);
/** Of these the dialect decides who reads whom, so they must meet more often than by chance. */
const codes = fc.constantFrom(...CONTENTS.filter(({ meaning }) => meaning === "code"));

/** Small numbers are the first spelling of a content, so that shrinking leads to plain ones. */
const written = fc
  .record({
    content: fc.oneof({ weight: 4, arbitrary: anyContent }, { weight: 1, arbitrary: codes }),
    spelling: fc.nat({ max: 3 }),
  })
  .map(({ content, spelling }) => ({ content, spelling: spelling % content.spellings.length }));

const registration: fc.Arbitrary<Registering> = fc
  .record({
    written,
    api,
    name,
    reference,
    metadata,
    keyed,
    normalise: fc.boolean(),
    dialect: fc.option(dialect, { nil: null, freq: 2 }),
    level: rarely(level),
    draft: rarely(fc.constant(true)),
    astray: rarely(fc.constant(1)),
  })
  .map(({ written: { content, spelling }, reference: wanted, draft, astray, ...asked }) => ({
    ...asked,
    content,
    spelling,
    api: asked.api,
    normalise: asked.normalise && asked.api === "confluent",
    reference: content.needs === null ? null : wanted,
    // Outside an import an id is refused.
    id: astray === null || asked.api === "native" ? null : astray,
    number: null,
    draft: draft === true && asked.api === "native",
    dialect: asked.api === "native" && content.format === "json-schema" ? asked.dialect : null,
    level: asked.api === "native" ? asked.level : null,
  }));

const imported: fc.Arbitrary<Registering> = fc
  .record({
    registration,
    id: fc.constantFrom(...IMPORTED_NUMBERS),
    number: fc.option(fc.constantFrom(...IMPORTED_NUMBERS), { nil: null }),
  })
  .map(({ registration: asked, id, number }) => ({
    ...asked,
    api: "confluent",
    id,
    number,
    draft: false,
    dialect: null,
    level: null,
  }));

/** Some record, drafts and soft-deleted ones included: the n-th that there is. */
function onRecord<T>(
  title: string,
  more: fc.Arbitrary<T>,
  run: (state: RegistryState, world: World, record: ModelRecord, asked: T) => Promise<void>,
) {
  const pick = fc.record({ record: fc.nat({ max: 7 }), asked: more });
  return step(title, pick, async (state, world, { record: index, asked }) => {
    const records = state.records();
    if (records.length > 0) await run(state, world, records[index % records.length]!, asked);
  });
}

const changes = fc.constantFrom<Change>(
  { description: "first" },
  { description: "second" },
  { state: "deprecated" },
  { state: "archived" },
  { state: "active" },
);

/** Sets a scope to IMPORT, brings some in, and sets it back. */
const importing = step(
  "import",
  fc.record({ name, imports: fc.array(imported, { minLength: 1, maxLength: 3 }) }),
  async (state, world, { name: target, imports }) => {
    const before =
      state.modes.get(target.context === DEFAULT ? target.subject : `:${target.context}:${target.subject}`) ?? null;
    await setMode(state, world, { scope: target, mode: "IMPORT", force: true, keyed: false });
    for (const asked of imports) await unless(redefinesItself, register)(state, world, { ...asked, name: target });
    await setMode(state, world, { scope: target, mode: before, force: true, keyed: false });
  },
);

const MODES: readonly (Mode | null)[] = ["READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT", null, null];

const STEPS: readonly fc.WeightedArbitrary<Step>[] = [
  { weight: 24, arbitrary: step("register", registration, unless(redefinesItself, register)) },
  { weight: 5, arbitrary: importing },
  { weight: 2, arbitrary: step("import without the mode", imported, unless(redefinesItself, register)) },
  {
    weight: 8,
    arbitrary: step(
      "delete version",
      fc.record({
        name,
        version: fc.constantFrom<number | "latest">(1, 2, 3, "latest"),
        permanent: fc.boolean(),
        keyed,
      }),
      deleteVersion,
    ),
  },
  {
    weight: 7,
    arbitrary: step("delete subject", fc.record({ api, name, permanent: fc.boolean(), keyed }), deleteSubject),
  },
  {
    weight: 6,
    arbitrary: onRecord("delete record", fc.record({ permanent: fc.boolean(), keyed }), (state, world, record, asked) =>
      deleteRecord(state, world, { record, ...asked }),
    ),
  },
  { weight: 5, arbitrary: onRecord("undelete", keyed, undelete) },
  { weight: 6, arbitrary: onRecord("patch", changes, patch) },
  {
    weight: 3,
    arbitrary: step("activate", fc.nat({ max: 3 }), async (state, world, index) => {
      const drafts = state.records().filter((record) => record.state === "draft");
      if (drafts.length > 0) await activate(state, world, drafts[index % drafts.length]!);
    }),
  },
  {
    weight: 6,
    arbitrary: step(
      "set level",
      fc.record({ api, scope, level: fc.option(level, { nil: null, freq: 5 }), keyed }),
      setConfig,
    ),
  },
  {
    weight: 2,
    arbitrary: step(
      "set alias",
      fc.record({ alias: fc.constantFrom("s", "t", null), context: fc.constantFrom(...CONTEXTS) }),
      (state, world, { alias, context }) =>
        setConfig(state, world, { api: "confluent", scope: { context, subject: "alias" }, alias, keyed: false }),
    ),
  },
  { weight: 2, arbitrary: step("delete config", scope, deleteConfig) },
  {
    weight: 4,
    arbitrary: step(
      "set mode",
      fc.record({ scope, mode: fc.constantFrom(...MODES), force: fc.boolean(), keyed }),
      setMode,
    ),
  },
  { weight: 3, arbitrary: step("delete mode", fc.record({ scope, recursive: fc.boolean() }), deleteMode) },
  {
    weight: 2,
    arbitrary: step(
      "set rules",
      fc.record({ scope: fc.oneof(name, fc.constant(GLOBAL)), allow: fc.boolean() }),
      setRules,
    ),
  },
  {
    weight: 1,
    arbitrary: step("delete context", fc.constantFrom(OTHER_CONTEXT, OTHER_CONTEXT, DEFAULT), deleteContext),
  },
  { weight: 3, arbitrary: step("look up", registration, unless(redefinesItself, lookUp)) },
  { weight: 3, arbitrary: step("check", registration, unless(redefinesItself, check)) },
  { weight: 4, arbitrary: step("repeat", fc.constant(null), (_state, world) => world.repeat()) },
];

/** Most faults need few steps, and short sequences are cheap; the long ones go where many steps lead. */
export const sequences: fc.Arbitrary<Iterable<fc.AsyncCommand<RegistryState, World>>> = fc.oneof(
  { weight: 4, arbitrary: sequencesOf(8) },
  { weight: 1, arbitrary: sequencesOf(25) },
);

function sequencesOf(maxCommands: number): typeof sequences {
  return fc.commands([fc.oneof(...STEPS)], { maxCommands, size: "max" });
}
