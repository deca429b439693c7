import { beforeEach, describe, expect, it } from "vitest";
import { useResource } from "./associated-resource.ts";
import { error, record, useRegistry } from "./registry.ts";

const registry = useRegistry();
const { own, associate } = useResource(registry);

describe("GET /schemas by association", () => {
  const list = async (query: string) =>
    (await registry.get(`/schemas?subjectPrefix=${own.topic}&${query}`)).body as {
      subject: string;
      associations?: object[];
    }[];

  beforeEach(async () => {
    await associate(`${own.topic}-k`, { associationType: "key" });
    await associate(`${own.topic}-v`, { lifecycle: "STRONG" });
    await registry.register(`${own.topic}-z`, record("a"));
  });

  it("shows the matching associations with each schema", async () => {
    expect(await list("resourceType=topic")).toMatchObject([
      { subject: `${own.topic}-k`, associations: [{ associationType: "key", resourceId: own.resourceId }] },
      {
        subject: `${own.topic}-v`,
        associations: [{ associationType: "value", lifecycle: "STRONG", resourceName: own.topic }],
      },
      { subject: `${own.topic}-z` },
    ]);
    const [key, value] = await list("associationType=value");
    expect(key).not.toHaveProperty("associations");
    expect(value).toHaveProperty("associations");
    for (const item of await list("")) expect(item).not.toHaveProperty("associations");
  });

  it("selects schemas by lifecycle, with NONE for those without an association", async () => {
    const subjects = async (query: string) =>
      (await list(query)).map(({ subject }) => subject.slice(own.topic.length + 1));

    expect(await subjects("lifecycle=STRONG")).toEqual(["v"]);
    expect(await subjects("lifecycle=WEAK&lifecycle=STRONG")).toEqual(["k", "v"]);
    expect(await subjects("lifecycle=NONE")).toEqual(["z"]);
    expect(await subjects("lifecycle=NONE&lifecycle=STRONG")).toEqual(["v", "z"]);
    expect(await subjects("lifecycle=WEAK&associationType=value")).toEqual([]);
    expect(await registry.get("/schemas?lifecycle=SOME")).toMatchObject(error(404, "HTTP 404 Not Found"));
  });
});
