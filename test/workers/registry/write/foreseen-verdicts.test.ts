import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { Bindings } from "../../../../workers/edge.ts";
import { plainPlatform } from "../../../support/platform.ts";
import { Registry } from "../../http/native-calls.ts";

/** A registry of one isolate, with a count of calls per method of its primary. */
function countedRegistry() {
  const bindings = env as unknown as Bindings;
  const calls: Record<string, number> = {};
  const PRIMARIES = {
    getByName: (name: string) =>
      new Proxy((bindings.PRIMARIES as DurableObjectNamespace).getByName(name), {
        get: (stub, method: string) => (args: unknown) => {
          calls[method] = (calls[method] ?? 0) + 1;
          return (stub as unknown as Record<string, (args: unknown) => unknown>)[method]!(args);
        },
      }),
  };
  const registry = new Registry(plainPlatform({ env: { ...bindings, PRIMARIES } as unknown as Bindings }));
  const commitsOf = async (work: () => Promise<unknown>): Promise<number> => {
    const before = calls.commit ?? 0;
    await work();
    return (calls.commit ?? 0) - before;
  };
  return { registry, commitsOf };
}

const version = (n: number, type: unknown = ["null", "string"]) => ({
  type: "record",
  name: "R",
  fields: [{ name: "id", type: "string" }, ...(n === 0 ? [] : [{ name: `f${n}`, type, default: null }])],
});

async function versionsAt(level: string, count: number) {
  const counted = countedRegistry();
  const { registry } = counted;
  for (let n = 0; n < count; n += 1)
    await registry.register("s", version(n), n === 0 ? { compatibility_level: level } : {});
  return counted;
}

describe("a registration whose subject's last one came from the same isolate", () => {
  it.each(["BACKWARD", "BACKWARD_TRANSITIVE", "FULL_TRANSITIVE"])(
    "takes one call to the primary at %s",
    async (level) => {
      const { registry, commitsOf } = await versionsAt(level, 4);

      expect(await commitsOf(() => registry.register("s", version(4)))).toBe(1);
      expect(await commitsOf(() => registry.register("s", version(5)))).toBe(1);
    },
  );

  it("is refused like any other if it breaks an older version", async () => {
    const { registry } = await versionsAt("BACKWARD_TRANSITIVE", 4);
    const content = {
      type: "record",
      name: "R",
      fields: [
        { name: "id", type: "string" },
        { name: "f1", type: "int" },
      ],
    };

    const { status, body } = await registry.call("POST", "/schemas", {
      body: { subject: "s", format: "avro", content },
    });

    expect(status).toBe(409);
    expect(body).toMatchObject({ verdict: { compatible: false } });
  });

  it("is compared with the versions that another isolate has registered meanwhile", async () => {
    const { registry, commitsOf } = await versionsAt("BACKWARD_TRANSITIVE", 3);
    const elsewhere = new Registry(
      plainPlatform({ env: env as unknown as Bindings, tenant: registry.platform.tenant }),
    );
    await elsewhere.register("s", version(3));

    expect(await commitsOf(() => registry.register("s", version(4)))).toBe(2);
    expect(await commitsOf(() => registry.register("s", version(5)))).toBe(1);
  });
});
