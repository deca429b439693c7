import type { Profile } from "../profile.ts";
import { ANTHROPIC_STRICT_2026_11 } from "./anthropic-strict@2026-11.ts";

const DOCS = "AWS Bedrock user guide, structured output; langchain-aws#883";

export const BEDROCK_2026_11: Profile = {
  ...ANTHROPIC_STRICT_2026_11,
  name: "bedrock",
  date: "2026-11",
  provider: "Amazon Bedrock",
  purpose: "Structured output of the Converse API and tools with strict: true.",
  shapes: ["bedrock-converse-output", "bedrock-converse-tool"],
  otherKeywords: {
    value: "refused",
    confidence: "documented",
    source: DOCS,
    note: "An unsupported keyword fails the request at once.",
  },
  budgets: {
    request: {
      ...ANTHROPIC_STRICT_2026_11.budgets.request,
      maxOptionalProperties: {
        value: 24,
        confidence: "assumed",
        source: DOCS,
        uncertain: true,
        note: "The limits are those of Claude behind it; Bedrock states none of its own.",
      },
    },
  },
};
