import type { Profile } from "../profile.ts";
import { OPENAI_STRICT_2026_11 } from "./openai-strict@2026-11.ts";

const DOCS = "MicrosoftDocs/azure-ai-docs structured-outputs.md (2025-12-06)";
const refused = {
  value: "refused",
  confidence: "documented",
  source: DOCS,
  uncertain: true,
  note: "The page still states the limits that OpenAI's own service had in 2024; what the live service accepts today is unknown.",
} as const;

export const AZURE_OPENAI_2025_12: Profile = {
  ...OPENAI_STRICT_2026_11,
  name: "azure-openai",
  date: "2025-12",
  provider: "Azure OpenAI",
  purpose:
    "Structured outputs and strict tools on Azure, by its own documentation, which is more restrictive than OpenAI's.",
  annotations: {
    value: ["title", "description"],
    confidence: "observed",
    source: "openai-agents-python#4390 (2026-08): \"'default' is not permitted\"",
  },
  keywords: {
    minimum: refused,
    maximum: refused,
    multipleOf: refused,
    pattern: refused,
    format: refused,
    minItems: refused,
    maxItems: refused,
    minLength: refused,
    maxLength: refused,
  },
  otherKeywords: { value: "refused", confidence: "documented", source: DOCS },
  formats: { value: [], confidence: "documented", source: DOCS, uncertain: true },
  budgets: {
    ...OPENAI_STRICT_2026_11.budgets,
    maxProperties: { value: 100, confidence: "documented", source: DOCS, uncertain: true },
    maxDepth: { value: 5, confidence: "documented", source: DOCS, uncertain: true },
  },
};
