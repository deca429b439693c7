import type { Profile } from "../profile.ts";
import { VLLM_2026_11 } from "./vllm@2026-11.ts";

const BOTH = "xgrammar 0.2.9 and llguidance 1.9.1, run on one schema for each keyword (test/schema/projection/oracles)";
const refused = {
  value: "refused",
  confidence: "executed",
  source: BOTH,
  note: "xgrammar ignores it, llguidance refuses the schema.",
} as const;

export const TENSORRT_LLM_2026_11: Profile = {
  ...VLLM_2026_11,
  name: "tensorrt-llm",
  date: "2026-11",
  provider: "TensorRT-LLM",
  purpose: "Guided decoding of TensorRT-LLM with either of its backends, xgrammar or llguidance.",
  shapes: ["tensorrt-llm-guided-decoding", "openai-chat-response-format"],
  additionalProperties: {
    value: "any",
    confidence: "executed",
    source: BOTH,
    note: "An object without additionalProperties is closed for xgrammar and open for llguidance.",
  },
  keywords: {
    ...VLLM_2026_11.keywords,
    propertyNames: refused,
    uniqueItems: refused,
    contains: refused,
  },
  otherKeywords: refused,
  formats: {
    value: ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"],
    confidence: "executed",
    source: BOTH,
    note: "llguidance refuses a schema with an unknown format.",
  },
};
