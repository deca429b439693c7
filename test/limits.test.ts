import { existsSync, globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 * 1024 };
const PAGE = readFileSync("docs/limits.md", "utf8");
const ROW = /^\| [^|]+ \| ([\d,]+)( [KM]iB)? \| `(\w+)` in `([\w./-]+)` \| [^|]+ \| [^|]+ \|$/;

/** Constants called MAX or MIN that limit no user: numbers of a format, and the effort of building a message. */
const NOT_BOUNDS = new Set([
  "MAX_FIELD_NUMBER schema/protobuf/model.ts",
  "MAX_MESSAGE_SET_NUMBER schema/protobuf/model.ts",
  "MAX_ENUM_NUMBER schema/protobuf/model.ts",
  "MIN_ENUM_NUMBER schema/protobuf/model.ts",
  "MAX_RESOLVED_DEPTH schema/avro/parse/nesting.ts",
  "MAX_REASONS schema/bump.ts",
  "MAX_LISTED_DIFFERENCES schema/json/compare/bounds.ts",
  "MAX_HINTS schema/json/compare/semantic/inclusion-values.ts",
  "MAX_KEPT_PROPERTIES schema/json/compare/semantic/view.ts",
]);

/** The rows of every table, without headers and rules. */
const rows = PAGE.split("\n").filter((line) => line.startsWith("|") && !/^\| Bound |^\|---/.test(line));

/** A product of numbers and of constants in `registry/rpc.ts`, the form of most limits. */
function numberOf(expression: string): number {
  const factors = expression.replaceAll(/[()]/g, "").split(/ ([*/]) /);
  return factors.reduce((value, factor, index) => {
    if (index % 2 === 1) return value;
    const number = /^[\d_]+$/.test(factor) ? Number(factor.replaceAll("_", "")) : constantOf(factor, "registry/rpc.ts");
    return index === 0 ? number : factors[index - 1] === "*" ? value * number : value / number;
  }, 0);
}

function constantOf(name: string, path: string): number {
  const source = existsSync(path) ? readFileSync(path, "utf8") : "";
  const expression = new RegExp(`^(?:export )?const ${name} = ([^;]+);`, "m").exec(source)?.[1];
  return expression === undefined ? Number.NaN : numberOf(expression);
}

describe("docs/limits.md", () => {
  it("has a row for every exported limit", () => {
    const named = new Set(rows.map((row) => ROW.exec(row)?.slice(3).join(" ")));
    const paths = globSync("{schema,registry,durable-objects,workers,db,observe}/**/*.ts");
    const missing = paths.flatMap((path) =>
      [...readFileSync(path, "utf8").matchAll(/^export const ((?:MAX|MIN)_\w+) =/gm)]
        .map(([, name]) => `${name} ${path}`)
        .filter((bound) => !named.has(bound) && !NOT_BOUNDS.has(bound)),
    );

    expect(missing).toEqual([]);
  });

  it("gives a number, a constant, the consequence and the reason in every row", () => {
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.filter((row) => !ROW.test(row))).toEqual([]);
  });

  it.each(
    rows.map((row) => {
      const [, number, unit = "", name, path] = ROW.exec(row)!;
      return { listed: `${number}${unit}`, name: name!, path: path! };
    }),
  )("lists $listed as $name in $path", ({ listed, name, path }) => {
    const [number, unit] = listed.replaceAll(",", "").split(" ");

    expect(constantOf(name, path)).toBe(Number(number) * (unit === undefined ? 1 : UNITS[unit]!));
  });
});
