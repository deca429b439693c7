import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ASKED, COUNTED, type MetricDefinition } from "../../observe/metrics.ts";
import { findPromtool, runPromtool } from "../support/promtool.ts";
import {
  eventually,
  freePort,
  type RegistryProcess,
  spawnRegistry,
  temporaryState,
} from "../support/registry-process.ts";

type Rule = {
  alert: string;
  expr: string;
  for: string;
  labels: Record<string, string>;
  annotations: Record<string, string>;
};
type Panel = { title: string; targets?: { expr: string }[]; panels?: Panel[] };

const ALERTS = "operate/alerts.yaml";
const rules = (parse(readFileSync(ALERTS, "utf8")) as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const dashboard = JSON.parse(readFileSync("operate/grafana/registry.json", "utf8")) as {
  panels: Panel[];
  templating: { list: { name: string; type: string; query: string }[] };
};
const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
const docs = readFileSync("docs/operate.md", "utf8");
const promtool = findPromtool();

/** Sample names, which for a histogram are its parts. */
function sampleNames(): Map<string, string> {
  const definitions: [string, MetricDefinition][] = [...Object.entries(COUNTED), ...Object.entries(ASKED)];
  return new Map(
    definitions.flatMap(([name, { type }]) =>
      type === "histogram" ? ["_bucket", "_sum", "_count"].map((part) => [name + part, name] as const) : [[name, name]],
    ),
  );
}

const metricsIn = (query: string) => query.match(/\bregistry_\w+/g) ?? [];

describe("operate/alerts.yaml and operate/grafana/registry.json", () => {
  it("query only existing metrics", () => {
    const known = sampleNames();
    const asked = [
      ...rules.map(({ expr }) => expr),
      ...queries,
      ...dashboard.templating.list.map(({ query }) => query),
    ];

    expect(asked.flatMap(metricsIn).filter((name) => !known.has(name))).toEqual([]);
  });

  it("show every metric on the dashboard", () => {
    const known = sampleNames();
    const shown = new Set(queries.flatMap(metricsIn).map((name) => known.get(name)));

    expect([...new Set(known.values())].filter((name) => !shown.has(name))).toEqual([]);
  });

  it("select only by labels that the metric has", () => {
    const definitions: Record<string, MetricDefinition> = { ...COUNTED, ...ASKED };
    const known = sampleNames();
    const strays = [...rules.map(({ expr }) => expr), ...queries].flatMap((query) =>
      [...query.matchAll(/\b(registry_\w+)\{([^}]*)\}/g)].flatMap(([, name, selectors]) => {
        const labels = [...definitions[known.get(name!)!]!.labels, "le"];
        return [...selectors!.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)]
          .map(([, label]) => label!)
          .filter((label) => !labels.includes(label))
          .map((label) => `${name}{${label}}`);
      }),
    );

    expect(strays).toEqual([]);
  });

  it("use a variable as data source", () => {
    const text = readFileSync("operate/grafana/registry.json", "utf8");
    const sources = [...text.matchAll(/"uid": "([^"]+)"/g)].map(([, uid]) => uid);

    expect(dashboard.templating.list.find(({ name }) => name === "datasource")?.type).toBe("datasource");
    // The other one is the dashboard's own data source.
    expect(new Set(sources)).toEqual(new Set([`\${datasource}`, "llm-schema-registry"]));
  });
});

describe("every alert", () => {
  it.each(rules.map((rule) => [rule.alert, rule] as const))("%s has a severity and a runbook", (alert, rule) => {
    expect(rule.for).toMatch(/^\d+[mh]$/);
    expect(["warning", "critical"]).toContain(rule.labels.severity);
    expect(rule.annotations.summary).toMatch(/\.$/);
    expect(rule.annotations.runbook_url).toBe(`docs/operate.md#${alert.toLowerCase()}`);
    expect(docs).toContain(`\n### ${alert}\n`);
  });
});

describe("docs/operate.md", () => {
  it("explains every metric", () => {
    const names = [...Object.keys(COUNTED), ...Object.keys(ASKED)];

    expect(names.filter((name) => !docs.includes(`\`${name}\``))).toEqual([]);
  });

  it("mentions no alert or metric that does not exist", () => {
    const alerts = [...docs.matchAll(/^### (Registry\w+)$/gm)].map(([, alert]) => alert);
    const known = new Set([...sampleNames().keys(), ...sampleNames().values()]);

    expect(alerts).toEqual(rules.map(({ alert }) => alert));
    expect(metricsIn(docs).filter((name) => !known.has(name))).toEqual([]);
  });
});

describe.skipIf(promtool === undefined)("promtool", () => {
  it("finds the rules valid", () => {
    const { code, output } = runPromtool(promtool!, ["check", "rules", "--lint-fatal", ALERTS]);

    expect(code, output).toBe(0);
    expect(output).toContain(`${rules.length} rules found`);
  });

  it("finds each alert firing exactly when it should", () => {
    const { code, output } = runPromtool(promtool!, ["test", "rules", "operate/alerts.test.yaml"]);

    expect(code, output).toBe(0);
  });

  it("has a firing and a non-firing test for every alert", () => {
    const { tests } = parse(readFileSync("operate/alerts.test.yaml", "utf8")) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const told = tests.flatMap(({ alert_rule_test }) => alert_rule_test);
    const names = (fires: boolean) =>
      new Set(told.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires).map(({ alertname }) => alertname));

    expect(rules.filter(({ alert }) => !names(true).has(alert) || !names(false).has(alert))).toEqual([]);
  });

  it("accepts the example scrape configuration", () => {
    const { code, output } = runPromtool(promtool!, ["check", "config", "operate/prometheus.yaml"]);

    expect(code, output).toBe(0);
  });

  it("parses every query of the dashboard", () => {
    const folder = mkdtempSync(join(tmpdir(), "registry-dashboard-"));
    const file = join(folder, "queries.json");
    const filled = queries.map((query) =>
      query.replaceAll("$__rate_interval", "5m").replaceAll(/\$(?:api|tenant)\b/g, ".*"),
    );
    // promtool reads YAML, which includes JSON.
    const group = { name: "dashboard", rules: filled.map((expr, index) => ({ record: `query:${index}`, expr })) };
    writeFileSync(file, JSON.stringify({ groups: [group] }));

    const { code, output } = runPromtool(promtool!, ["check", "rules", file]);
    rmSync(folder, { recursive: true });

    expect(filled.join("\n")).not.toContain("$");
    expect(code, output).toBe(0);
  });
});

describe("a running registry's page", () => {
  let registry: RegistryProcess;
  let state: ReturnType<typeof temporaryState>;
  let page = "";

  beforeAll(async () => {
    state = temporaryState();
    registry = spawnRegistry({ port: await freePort(), stateDir: state.stateDir });
    await registry.ready();
    await useEverything(registry.url);
    // The read model starts beside the registry and may take longer.
    const isWhole = async () => {
      page = await (await fetch(`${registry.url}/metrics`)).text();
      return !/^registry_source_up\{.*\} 0$/m.test(page);
    };
    expect(await eventually(isWhole, 60_000), page).toBe(true);
  });

  afterAll(async () => {
    await registry?.stop();
    state?.remove();
  });

  it("has the metrics of alerts and dashboard", () => {
    const asked = new Set([...rules.map(({ expr }) => expr), ...queries].flatMap(metricsIn));
    const absent = [...asked].filter((name) => ![`\n${name}{`, `\n${name} `].some((line) => page.includes(line)));

    // These appear only once their subject exists: a finished backup, a subscriber, a conflict, an unauthorized caller.
    expect(absent.filter((name) => !ONLY_SOMETIMES.includes(name))).toEqual([]);
  });

  it.skipIf(promtool === undefined)("passes promtool's check of metrics without warnings", () => {
    const { code, output } = runPromtool(promtool!, ["check", "metrics"], page);

    expect(output).toBe("");
    expect(code).toBe(0);
  });

  it("has the same metrics in OpenMetrics", async () => {
    const accept = { headers: { Accept: "application/openmetrics-text" } };
    const open = await (await fetch(`${registry.url}/metrics`, accept)).text();
    const names = (text: string) => [...new Set(text.match(/^registry_\w+(?=\{)/gm))];

    // There may be more a moment later, when the first backup ends.
    expect(names(open)).toEqual(expect.arrayContaining(names(page)));
    expect(open.trimEnd().split("\n").at(-1)).toBe("# EOF");
  });
});

const ONLY_SOMETIMES = [
  "registry_backup_last_level_timestamp_seconds",
  "registry_backup_last_export_timestamp_seconds",
  "registry_feed_lag_entries",
  "registry_commit_conflicts_total",
];

/** A write, a refusal, an error and a read, so that every counter has a value. */
async function useEverything(url: string): Promise<void> {
  const register = (fields: object[]) =>
    fetch(`${url}/api/v1/schemas`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ subject: "s", format: "avro", content: { type: "record", name: "R", fields } }),
    });
  const { id } = (await (await register([{ name: "a", type: "string" }])).json()) as { id: string };
  expect((await register([{ name: "b", type: "string" }])).status).toBe(409);
  expect((await fetch(`${url}/api/v1/schemas/${id}/content`)).status).toBe(200);
  expect((await fetch(`${url}/nowhere`)).status).toBe(404);
}
