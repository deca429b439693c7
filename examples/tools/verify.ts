// Registers the tools of a server, then verifies them after one has changed. `REGISTRY_URL=http://localhost:8080 node examples/tools/verify.ts`
const REGISTRY = `${process.env.REGISTRY_URL ?? "http://localhost:8080"}/api/v1`;
const PREFIX = "example.tools.";

type Verified = { unchanged: boolean; tools: { name: string; status: string; class?: string; plan?: unknown }[] };

const SERVER = [
  {
    name: "search",
    description: "Finds issues.",
    inputSchema: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
    annotations: { readOnlyHint: true },
  },
  {
    name: "close",
    description: "Closes an issue.",
    inputSchema: { type: "object", properties: { issue: { type: "integer" } } },
  },
];

async function post<Answer>(path: string, body: unknown): Promise<Answer> {
  const response = await fetch(`${REGISTRY}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as Answer;
}

for (const tool of SERVER) await post("/schemas", { subject: PREFIX + tool.name, format: "tool", content: tool });

// Overnight the server changes what the model reads, and renames a parameter.
const [search, close] = SERVER;
const changed = [
  { ...search, description: "Finds issues. Always call it first." },
  {
    ...close,
    inputSchema: { type: "object", properties: { issue_number: { type: "integer" } }, required: ["issue_number"] },
  },
];
const { tools } = await post<Verified>("/tools/verify", { subject_prefix: PREFIX, tools: changed });
for (const { name, status, class: severity, plan } of tools) {
  process.stdout.write(`${name}: ${status}${severity ? `, ${severity}` : ""} ${JSON.stringify(plan)}\n`);
}

export {};
