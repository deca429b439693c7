/** Differences of a prompt's own fields. Its variables and output are compared as parts. */
import type { Difference } from "../compatibility.ts";
import { jsonSchema } from "../json/format.ts";
import { pointerToken } from "../json-text.ts";
import type { Witness } from "../witness.ts";
import type { PromptModel } from "./model.ts";

export function comparePrompts(reader: PromptModel, writer: PromptModel): Difference[] {
  const { own: now } = reader;
  const { own: before } = writer;
  const found: Difference[] = newlyNeeded(reader, writer).map((name) => ({
    kind: "OPTIONAL_VARIABLE_NEEDED",
    reader_pointer: `/variables/properties/${pointerToken(name)}`,
    writer_pointer: null,
    message: `The template cannot be rendered without the optional variable "${name}", which calls may leave out.`,
    severity: "breaking",
    fix: `Test "${name}" in the template, give it a default, or set "undefined" to "lenient".`,
  }));
  const changed = (kind: string, name: string, severity: Difference["severity"], message: string) => {
    const at = (model: PromptModel) => (model.root.members.has(name) ? `/${name}` : null);
    found.push({ kind, reader_pointer: at(reader), writer_pointer: at(writer), message, severity });
  };
  if (now.form !== before.form) {
    const message =
      "The prompt changed between one text and messages: callers that render it without the registry get another shape.";
    found.push({ kind: "PROMPT_FORM_CHANGED", ...wordsAt(reader, writer), message, severity: "warning" });
  } else if (now.words !== before.words) {
    const message = "The words that the model reads changed.";
    found.push({ kind: "PROMPT_TEXT_CHANGED", ...wordsAt(reader, writer), message, severity: "behaviour" });
  }
  if (now.syntax !== before.syntax) {
    const message = `The template's syntax changed from ${before.syntax} to ${now.syntax}: callers that render it without the registry need another engine.`;
    changed("PROMPT_SYNTAX_CHANGED", "syntax", "warning", message);
  }
  if (now.isStrict !== before.isStrict) {
    const message = now.isStrict
      ? "A missing variable is now refused."
      : "A missing variable is now rendered as nothing.";
    changed("UNDEFINED_POLICY_CHANGED", "undefined", "behaviour", message);
  }
  if (now.model !== before.model)
    changed("MODEL_DEFAULTS_CHANGED", "model", "behaviour", "The model or its settings changed.");
  if (now.examples !== before.examples)
    changed("PROMPT_EXAMPLES_CHANGED", "examples", "behaviour", "The examples changed.");
  if (now.description !== before.description) {
    changed("PROMPT_DESCRIPTION_CHANGED", "description", "info", "The description changed.");
  }
  return [...found, ...toolDifferences(reader, writer)];
}

function wordsAt(reader: PromptModel, writer: PromptModel) {
  const at = ({ own }: PromptModel) => `/${own.form}`;
  return { reader_pointer: at(reader), writer_pointer: at(writer) };
}

/** Variables that are optional in the earlier version, and that the new one needs for rendering. */
function newlyNeeded({ own: now }: PromptModel, writer: PromptModel): string[] {
  const required = requiredOf(writer);
  return now.needed.filter((name) => !writer.own.needed.includes(name) && !required.has(name));
}

function requiredOf({ parts }: PromptModel): ReadonlySet<string> {
  const { model } = parts.find(({ declaration }) => declaration.name === "variables")!;
  const fields = jsonSchema.fields(model);
  return new Set(fields.filter(({ required }) => required).map(({ path }) => path));
}

function toolDifferences(reader: PromptModel, writer: PromptModel): Difference[] {
  const subjectOf = ({ name, reference }: PromptModel["own"]["tools"][number]) => reference?.subject ?? name;
  const placed = ({ own }: PromptModel) =>
    new Map(
      own.tools.map((tool, index) => [
        subjectOf(tool),
        { pointer: `/tools/${index}`, version: tool.reference?.version },
      ]),
    );
  const [now, before] = [placed(reader), placed(writer)];
  const added = [...now]
    .filter(([subject]) => !before.has(subject))
    .map(([subject, { pointer }]) => ({
      kind: "PROMPT_TOOL_ADDED",
      reader_pointer: pointer,
      writer_pointer: null,
      message: `The model may call the tool "${subject}", which callers must be able to run.`,
      severity: "warning" as const,
    }));
  const removed = [...before]
    .filter(([subject]) => !now.has(subject))
    .map(([subject, { pointer }]) => ({
      kind: "PROMPT_TOOL_REMOVED",
      reader_pointer: null,
      writer_pointer: pointer,
      message: `The model no longer calls the tool "${subject}".`,
      severity: "behaviour" as const,
    }));
  const moved = [...now].flatMap(([subject, { pointer, version }]) => {
    const earlier = before.get(subject);
    if (earlier === undefined || earlier.version === version) return [];
    const message = `The tool "${subject}" is used in version ${version} instead of ${earlier.version}.`;
    return [
      {
        kind: "PROMPT_TOOL_CHANGED",
        reader_pointer: pointer,
        writer_pointer: earlier.pointer,
        message,
        severity: "behaviour" as const,
      },
    ];
  });
  return [...added, ...removed, ...moved];
}

/** A call of the earlier version that leaves the variable out. */
export function witnessOfPrompt(reader: PromptModel, writer: PromptModel, difference: Difference): Witness | undefined {
  if (difference.kind !== "OPTIONAL_VARIABLE_NEEDED") return undefined;
  const name = newlyNeeded(reader, writer).find(
    (each) => difference.reader_pointer === `/variables/properties/${pointerToken(each)}`,
  );
  if (name === undefined) return undefined;
  const requiring = jsonSchema.parse(
    { text: JSON.stringify({ type: "object", required: [name] }), references: [] },
    { strictness: "new", defaultDialect: "2020-12" },
  );
  const variables = writer.parts.find(({ declaration }) => declaration.name === "variables")!;
  if (!requiring.ok) return undefined;
  const options = { policy: "semantic", writers: "declared" } as const;
  const compared = jsonSchema.compare(requiring.value.model, variables.model, options);
  const breaking = compared.ok ? compared.value.differences.filter(({ severity }) => severity === "breaking") : [];
  const search = { seed: 1, maxAttempts: 50, writers: "declared" } as const;
  const witnesses = jsonSchema.witnesses(requiring.value.model, variables.model, breaking, search);
  const found = witnesses.find((witness) => witness.status === "confirmed");
  if (found?.status !== "confirmed") return undefined;
  return {
    ...found,
    datum: { variables: found.datum },
    reader_result: `The template uses "${name}", which this call leaves out.`,
    confirmed_by: "prompt renderer",
  };
}
