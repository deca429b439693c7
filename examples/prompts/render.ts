// Registers a prompt, renders it, and shows the call that a change would break. `REGISTRY_URL=http://localhost:8080 node examples/prompts/render.ts`
const REGISTRY = `${process.env.REGISTRY_URL ?? "http://localhost:8080"}/api/v1`;
const SUBJECT = "example.prompts.answer";

type Rendered = { stamp: { version: string }; messages: { role: string; content: string }[] };
type Refused = { verdict: { differences: { kind: string; witness?: { datum: unknown } }[] } };

const PROMPT = {
  syntax: "mustache",
  text: "Answer in {{language}}: {{question}}",
  variables: {
    type: "object",
    properties: { language: { type: "string", default: "English" }, question: { type: "string" } },
    required: ["question"],
  },
  output: { type: "object", properties: { answer: { type: "string" } }, required: ["answer"] },
};

async function post(path: string, body: unknown): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${REGISTRY}${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

await post("/schemas", { subject: SUBJECT, format: "prompt", content: PROMPT });

const rendered = (await post("/prompts/render", { subject: SUBJECT, variables: { question: "Why?" } }))
  .body as Rendered;
process.stdout.write(`${rendered.stamp.version}: ${rendered.messages[0]?.content}\n`);

// A later version renames a variable.
const renamed = JSON.parse(JSON.stringify(PROMPT).replaceAll("question", "query")) as unknown;
const refused = await post("/schemas", { subject: SUBJECT, format: "prompt", content: renamed });
const broken = (refused.body as Refused).verdict.differences.find(({ witness }) => witness?.datum !== undefined);
process.stdout.write(`${refused.status}: ${broken?.kind} breaks ${JSON.stringify(broken?.witness?.datum)}\n`);

export {};
