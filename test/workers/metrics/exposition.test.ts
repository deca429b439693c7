import { describe, expect, it } from "vitest";
import { type Family, preferredExposition, printMetrics } from "../../../workers/metrics/exposition.ts";

const FAMILIES: Family[] = [
  {
    name: "registry_things_total",
    definition: { type: "counter", help: "Things.\nAnd a \\.", labels: ["name"] },
    samples: [
      { labels: ['say "hi"\\\n'], values: [3] },
      { labels: ["b"], values: [0.5] },
    ],
  },
  { name: "registry_nothing", definition: { type: "gauge", help: "Never seen.", labels: [] }, samples: [] },
  {
    name: "registry_seconds",
    definition: { type: "histogram", help: "Seconds.", labels: ["route"], bounds: [0.1, 1] },
    samples: [{ labels: ["/"], values: [2, 1, 1, 12.5] }],
  },
  {
    name: "registry_now",
    definition: { type: "gauge", help: "Now.", labels: [] },
    samples: [{ labels: [], values: [7] }],
  },
];

describe("printMetrics", () => {
  it("prints Prometheus' text: help and type once, escapes, buckets cumulated", () => {
    expect(printMetrics(FAMILIES, "prometheus").split("\n")).toEqual([
      "# HELP registry_things_total Things.\\nAnd a \\\\.",
      "# TYPE registry_things_total counter",
      'registry_things_total{name="say \\"hi\\"\\\\\\n"} 3',
      'registry_things_total{name="b"} 0.5',
      "# HELP registry_seconds Seconds.",
      "# TYPE registry_seconds histogram",
      'registry_seconds_bucket{route="/",le="0.1"} 2',
      'registry_seconds_bucket{route="/",le="1"} 3',
      'registry_seconds_bucket{route="/",le="+Inf"} 4',
      'registry_seconds_sum{route="/"} 12.5',
      'registry_seconds_count{route="/"} 4',
      "# HELP registry_now Now.",
      "# TYPE registry_now gauge",
      "registry_now 7",
      "",
    ]);
  });

  it("prints OpenMetrics: a counter's family without its suffix, floats as bounds, and an end", () => {
    const lines = printMetrics(FAMILIES, "openmetrics").split("\n");

    expect(lines).toContain("# TYPE registry_things counter");
    expect(lines).toContain('registry_things_total{name="b"} 0.5');
    expect(lines).toContain('registry_seconds_bucket{route="/",le="1.0"} 3');
    expect(lines.slice(-2)).toEqual(["# EOF", ""]);
  });
});

describe("preferredExposition", () => {
  it.each([
    [null, "prometheus"],
    ["*/*", "prometheus"],
    ["text/plain", "prometheus"],
    ["application/openmetrics-text", "openmetrics"],
    ["application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", "openmetrics"],
    ["text/plain;version=0.0.4,application/openmetrics-text;q=0.5", "prometheus"],
    ["application/openmetrics-text;q=0, */*", "prometheus"],
  ])("gives %j %s", (accept, exposition) => {
    expect(preferredExposition(accept)).toBe(exposition);
  });
});
