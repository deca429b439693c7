/**
 * Both engines on the official test suite, next to unmodified ajv and @cfworker/json-schema. `npx vitest run --project
 * unit test/schema/json/validate/engines.test.ts` prints the table of docs/validation.md.
 */
import { Validator } from "@cfworker/json-schema";
import Ajv from "ajv";
import Ajv2019 from "ajv/dist/2019.js";
import Ajv2020 from "ajv/dist/2020.js";
import AjvDraft04 from "ajv-draft-04";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import type { JsonDialect } from "../../../../schema/format.ts";
import { compilableSchema } from "../../../../schema/json/compilable.ts";
import type { JsonSchemaModel } from "../../../../schema/json/model.ts";
import { JSON_DIALECTS } from "../../../../schema/json/parse/dialects.ts";
import { parseJsonSchema } from "../../../../schema/json/parse/parse.ts";
import { validateInstance } from "../../../../schema/json/validate/validate.ts";
import { Input } from "../../../../workers/validation/isolate/checker.ts";
import { type CompiledJsonSchema, compileJsonSchema } from "../../../../workers/validation/isolate/json-schema.ts";
import { HAS_SUITE, type SuiteGroup, suiteGroups, suiteRemotes } from "./suite.ts";

/** Each schema is compiled up to four times. */
const TIMEOUT_MS = 180_000;

type IsValid = (data: unknown) => boolean | undefined;
type Engine = (group: SuiteGroup, dialect: JsonDialect, formats: boolean) => IsValid;

const remotes = HAS_SUITE ? suiteRemotes() : [];

function modelOf({ schema }: SuiteGroup, dialect: JsonDialect): JsonSchemaModel | undefined {
  const source = { text: JSON.stringify(schema), references: remotes };
  const parsed = parseJsonSchema(source, { strictness: "stored", defaultDialect: dialect });
  return parsed.ok ? parsed.value.model : undefined;
}

/** The compiled engine as an isolate runs it: what it throws is the interpreter's. */
function compileSchema(input: CompiledJsonSchema): (text: string) => boolean {
  const isCertainlyValid = compileJsonSchema(input);
  return (text) => {
    try {
      return isCertainlyValid(new Input(new TextEncoder().encode(text)));
    } catch {
      return false;
    }
  };
}

const interpreted: Engine = (group, dialect, formats) => {
  const model = modelOf(group, dialect);
  return (data) => {
    const result = model && validateInstance(model, data, { formats });
    return result?.ok ? result.value.valid : undefined;
  };
};

/** Like a request: the compiled engine's verdict if it says valid, else the interpreter's. */
const both: Engine = (group, dialect, formats) => {
  const model = modelOf(group, dialect);
  const schema = model && compilableSchema(model);
  const isValid =
    model && schema !== undefined
      ? compileSchema({ schema, dialect: model.root.resource.dialect, formats })
      : undefined;
  const interpret = interpreted(group, dialect, formats);
  return (data) => (isValid?.(JSON.stringify(data)) ? true : interpret(data));
};

/** Adding all remotes to an engine for every schema of the suite takes most of a run; few schemas name any. */
function remotesOf(schema: unknown): typeof remotes {
  return JSON.stringify(schema).includes("localhost:1234") ? remotes : [];
}

const AJVS = { "draft-04": AjvDraft04, "draft-06": Ajv, "draft-07": Ajv, "2019-09": Ajv2019, "2020-12": Ajv2020 };

const bareAjv: Engine = ({ schema }, dialect, formats) => {
  const ajv = new AJVS[dialect]({ strict: false, logger: false, validateFormats: formats }) as Ajv;
  if (formats) addFormats.default(ajv);
  for (const { name, source } of remotesOf(schema)) {
    try {
      ajv.addSchema(JSON.parse(source.text) as object, name);
    } catch {
      // A remote of another draft.
    }
  }
  try {
    return undecidedIfThrown(ajv.compile(schema as object | boolean) as IsValid);
  } catch {
    return () => undefined;
  }
};

const CFWORKER_DRAFTS = { "draft-04": "4", "draft-07": "7", "2019-09": "2019-09", "2020-12": "2020-12" } as const;

const bareCfworker: Engine = ({ schema }, dialect) => {
  // It has no draft-06, whose keywords are those of draft-07.
  const draft = dialect === "draft-06" ? "7" : CFWORKER_DRAFTS[dialect];
  try {
    const validator = new Validator(schema as object, draft, false);
    for (const { name, source } of remotesOf(schema)) validator.addSchema(JSON.parse(source.text) as object, name);
    return undecidedIfThrown((data) => validator.validate(data).valid);
  } catch {
    return () => undefined;
  }
};

/** Both recurse without bound if a schema references itself. */
function undecidedIfThrown(isValid: IsValid): IsValid {
  return (data) => {
    try {
      return isValid(data);
    } catch {
      return undefined;
    }
  };
}

type Count = { right: number; total: number; wrong: string[] };

function count(engine: Engine, dialect: JsonDialect, kind: SuiteGroup["kind"]): Count {
  const counted: Count = { right: 0, total: 0, wrong: [] };
  for (const group of suiteGroups(dialect).filter((each) => each.kind === kind)) {
    const formats = kind === "format" || group.file === "optional/format-assertion.json";
    const isValid = engine(group, dialect, formats);
    for (const test of group.tests) {
      counted.total += 1;
      if (isValid(test.data) === test.valid) counted.right += 1;
      else counted.wrong.push(`${group.file}: ${group.description}: ${test.description}`);
    }
  }
  return counted;
}

describe.skipIf(!HAS_SUITE)("the engines on the official test suite", () => {
  it.each(JSON_DIALECTS)("compile no test of %s that they read differently", { timeout: TIMEOUT_MS }, (dialect) => {
    const differing: string[] = [];
    let compiled = 0;
    for (const group of suiteGroups(dialect)) {
      const model = modelOf(group, dialect);
      const schema = model && compilableSchema(model);
      if (model === undefined || schema === undefined) continue;
      for (const formats of [true, false]) {
        const isValid = compileSchema({ schema, dialect: model.root.resource.dialect, formats });
        const interpret = interpreted(group, dialect, formats);
        for (const test of group.tests) {
          if (!isValid(JSON.stringify(test.data))) continue;
          compiled += 1;
          if (interpret(test.data) !== true) differing.push(`${group.file}: ${group.description}: ${test.description}`);
        }
      }
    }

    expect(differing).toEqual([]);
    expect(compiled).toBeGreaterThan(300);
  });

  it.each(JSON_DIALECTS)("pass as many tests of %s as the better library", { timeout: TIMEOUT_MS }, (dialect) => {
    for (const kind of ["required", "optional", "format"] as const) {
      const [ours, mixed, ajv, cfworker] = [interpreted, both, bareAjv, bareCfworker].map((engine) =>
        count(engine, dialect, kind),
      ) as [Count, Count, Count, Count];
      const cell = ({ right, total }: Count) => `${right} of ${total}`;
      console.log(`| ${dialect} | ${kind} | ${cell(ours)} | ${cell(mixed)} | ${cell(ajv)} | ${cell(cfworker)} |`);
      const better = ajv.right > cfworker.right ? ajv : cfworker;

      expect(mixed.wrong).toEqual(ours.wrong);
      expect(ours.right, ours.wrong.filter((test) => !better.wrong.includes(test)).join("\n")).toBeGreaterThanOrEqual(
        better.right,
      );
    }
  });
});
