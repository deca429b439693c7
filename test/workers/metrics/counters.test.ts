import { describe, expect, it } from "vitest";
import { Counters, MAX_ISOLATE_SERIES } from "../../../workers/metrics/counters.ts";

const printed = (counters: Counters) =>
  counters.take().map(({ metric, labels, values }) => `${metric} ${labels.join(",")} ${values.join(" ")}`);

describe("Counters", () => {
  it("counts responses by route and status, and times them in buckets with their sum", () => {
    const counters = new Counters();
    const route = counters.route("native", "GET", "/schemas/:id");
    counters.route("native", "GET", "/never-asked");

    route.answered(200, 0);
    route.answered(200, 1);
    route.answered(404, 30);
    route.answered(503, 60_000);

    expect(printed(counters)).toEqual([
      "registry_requests_total native,GET,/schemas/:id,200 2",
      "registry_requests_total native,GET,/schemas/:id,404 1",
      "registry_requests_total native,GET,/schemas/:id,503 1",
      "registry_request_duration_seconds native,GET,/schemas/:id 2 0 0 0 0 1 0 0 0 0 0 0 0 1 60.031",
    ]);
  });

  it.each([[418], [999], [0], [-1]])("counts the unknown status %i among the others", (status) => {
    const counters = new Counters();

    counters.route("native", "GET", "/").answered(status, 0);

    expect(printed(counters)[0]).toBe("registry_requests_total native,GET,/,other 1");
  });

  it("treats a clock that was set back as no elapsed time", () => {
    const counters = new Counters();

    counters.route("native", "GET", "/").answered(200, -5);

    expect(printed(counters)[1]).toMatch(/ 1 (?:0 )+0$/);
  });

  it("counts reads by class, source and staleness", () => {
    const counters = new Counters();

    counters.contentFromMemory();
    counters.read("content", "memory", false);
    counters.read("content", "kv", true);
    counters.read("record", "primary", false);
    counters.read("head", "primary", false);

    expect(printed(counters)).toEqual([
      "registry_reads_total content,memory,false 2",
      "registry_reads_total content,kv,true 1",
      "registry_reads_total record,primary,false 1",
      "registry_reads_total head,primary,false 1",
    ]);
  });

  it("returns each count only once", () => {
    const counters = new Counters();
    counters.route("native", "GET", "/").answered(200, 0);
    counters.contentFromMemory();
    counters.add("registry_errors_total", ["internal"], 3);
    counters.observe("registry_commit_needs_rounds", ["register"], 2);

    expect(printed(counters)).toHaveLength(5);
    expect(printed(counters)).toEqual([]);
  });

  it("puts an observation into the first bucket that is large enough, or above all", () => {
    const counters = new Counters();

    for (const rounds of [0, 1, 1, 3]) counters.observe("registry_commit_needs_rounds", ["register"], rounds);

    expect(printed(counters)).toEqual(["registry_commit_needs_rounds register 1 2 0 1 5"]);
  });

  it("keeps series up to the limit, continues counting those, and accepts no more", () => {
    const counters = new Counters();
    for (let index = 0; index <= MAX_ISOLATE_SERIES; index += 1) counters.add("registry_errors_total", [`e${index}`]);
    counters.add("registry_errors_total", ["e0"]);

    const series = counters.take();

    expect(series).toHaveLength(MAX_ISOLATE_SERIES);
    expect(series[0]).toMatchObject({ labels: ["e0"], values: [2] });
  });
});
