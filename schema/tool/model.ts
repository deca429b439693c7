/** A tool as a model and its users see it. */
import type { ArtefactModel } from "../artefact.ts";
import type { PartDeclaration } from "../parts.ts";

/** MCP's hints with its defaults filled in: hints that are left out and hints at their default are the same. */
type ToolHints = { readOnly: boolean; destructive: boolean; idempotent: boolean; openWorld: boolean };

export type ToolFields = {
  name: string;
  title: string | null;
  description: string | null;
  hints: ToolHints;
};

export type ToolModel = ArtefactModel<ToolFields>;

export const TOOL_INPUT: PartDeclaration = {
  name: "input",
  variance: "in",
  giver: "the model",
  taker: "the tool",
  steers: true,
  warnsOfRemoval: true,
  refusesClosing: true,
  isBareEmpty: true,
};

export const TOOL_OUTPUT: PartDeclaration = {
  name: "output",
  variance: "out",
  giver: "the tool",
  taker: "the caller",
  steers: true,
  warnsOfRemoval: false,
  refusesClosing: false,
  isBareEmpty: false,
};

/** The spellings of the parts' members: ours first, then MCP's. */
export const INPUT_NAMES = ["input", "inputSchema"] as const;
export const OUTPUT_NAMES = ["output", "outputSchema"] as const;
