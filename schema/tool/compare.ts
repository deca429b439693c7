/** Differences of a tool's own fields: its name, what a model reads, and its hints by their effective value. */
import type { Difference } from "../compatibility.ts";
import type { Witness } from "../witness.ts";
import type { ToolModel } from "./model.ts";
import { findRenames } from "./renames.ts";

export function compareTools(reader: ToolModel, writer: ToolModel): Difference[] {
  return [...nameDifferences(reader, writer), ...hintDifferences(reader, writer), ...findRenames(reader, writer)];
}

function nameDifferences({ own: now, root }: ToolModel, { own: before, root: earlier }: ToolModel): Difference[] {
  const at = (name: string) => ({
    reader_pointer: root.members.has(name) ? `/${name}` : null,
    writer_pointer: earlier.members.has(name) ? `/${name}` : null,
  });
  const found: Difference[] = [];
  if (now.name !== before.name) {
    found.push({
      kind: "TOOL_RENAMED",
      ...at("name"),
      message: `The tool is called "${now.name}"; calls of "${before.name}" no longer reach it.`,
      severity: "breaking",
      fix: "Keep the name, or register the tool under another subject.",
    });
  }
  if (now.description !== before.description) {
    found.push({
      kind: "TOOL_DESCRIPTION_CHANGED",
      ...at("description"),
      message: "The description changed: a model may choose and call the tool differently.",
      severity: "behaviour",
    });
  }
  if (now.title !== before.title) {
    found.push({
      kind: "TOOL_TITLE_CHANGED",
      ...at("title"),
      message: "The title that people see changed.",
      severity: "info",
    });
  }
  return found;
}

type HintChange = {
  /** The difference's kind if the promise is given, and if it is withdrawn. */
  given: string;
  withdrawn: string;
  hint: "readOnlyHint" | "destructiveHint" | "idempotentHint" | "openWorldHint";
  of: keyof ToolModel["own"]["hints"];
  /** The value that promises more; losing it is `lost`, gaining it `gained`. */
  safe: boolean;
  lost: { severity: Difference["severity"]; message: string };
  gained: string;
};

const HINT_CHANGES: readonly HintChange[] = [
  {
    given: "READ_ONLY_PROMISE_GIVEN",
    withdrawn: "READ_ONLY_PROMISE_WITHDRAWN",
    hint: "readOnlyHint",
    of: "readOnly",
    safe: true,
    lost: {
      severity: "breaking",
      message:
        "The tool no longer says that it only reads: clients that call it without asking would now change something.",
    },
    gained: "The tool now says that it only reads.",
  },
  {
    given: "HARMLESS_PROMISE_GIVEN",
    withdrawn: "HARMLESS_PROMISE_WITHDRAWN",
    hint: "destructiveHint",
    of: "destructive",
    safe: false,
    lost: {
      severity: "breaking",
      message: "The tool may now destroy something: clients that call it without asking rely on the opposite.",
    },
    gained: "The tool now says that it destroys nothing.",
  },
  {
    given: "IDEMPOTENT_PROMISE_GIVEN",
    withdrawn: "IDEMPOTENT_PROMISE_WITHDRAWN",
    hint: "idempotentHint",
    of: "idempotent",
    safe: true,
    lost: { severity: "warning", message: "The tool no longer says that repeating a call has no further effect." },
    gained: "The tool now says that repeating a call has no further effect.",
  },
  {
    given: "CLOSED_WORLD_PROMISE_GIVEN",
    withdrawn: "CLOSED_WORLD_PROMISE_WITHDRAWN",
    hint: "openWorldHint",
    of: "openWorld",
    safe: false,
    lost: { severity: "warning", message: "The tool may now reach things outside its own domain." },
    gained: "The tool now says that it stays within its own domain.",
  },
];

function hintDifferences({ own: now }: ToolModel, { own: before }: ToolModel): Difference[] {
  return (
    HINT_CHANGES.filter(({ of }) => now.hints[of] !== before.hints[of])
      // A tool that starts or stops writing is reported once, as that.
      .filter(({ of }) => of === "readOnly" || of === "openWorld" || now.hints.readOnly === before.hints.readOnly)
      .map(({ given, withdrawn, hint, of, safe, lost, gained }) => {
        const isGain = now.hints[of] === safe;
        return {
          kind: isGain ? given : withdrawn,
          reader_pointer: `/annotations/${hint}`,
          writer_pointer: `/annotations/${hint}`,
          message: isGain ? gained : lost.message,
          severity: isGain ? "info" : lost.severity,
        } satisfies Difference;
      })
  );
}

/** A call by the earlier name, or one that a client made without asking because of the earlier hints. */
export function witnessOfTool(reader: ToolModel, writer: ToolModel, { kind }: Difference): Witness | undefined {
  const call = { name: writer.own.name, arguments: {} };
  const confirmed = (datum: unknown, result: string): Witness => ({
    status: "confirmed",
    datum,
    reader_result: result,
    confirmed_by: "tool definition",
  });
  if (kind === "TOOL_RENAMED" && reader.own.name !== writer.own.name) {
    return confirmed(call, `There is no tool "${writer.own.name}" any more; it is called "${reader.own.name}".`);
  }
  if (kind === "READ_ONLY_PROMISE_WITHDRAWN" && writer.own.hints.readOnly && !reader.own.hints.readOnly) {
    return confirmed(
      { ...call, without_confirmation: true },
      "A client that confirms only calls which change something makes this call unasked, and it may now change something.",
    );
  }
  if (kind === "HARMLESS_PROMISE_WITHDRAWN" && !writer.own.hints.destructive && reader.own.hints.destructive) {
    return confirmed(
      { ...call, without_confirmation: true },
      "A client that confirms only destructive calls makes this call unasked, and it may now destroy something.",
    );
  }
  return undefined;
}
