/** All profiles, and the lookup by name: `name@date` selects exactly that one, the bare name the newest. */
import { ok, type Result, refuse } from "../result.ts";
import { PROFILE_NAMES, type Profile, profileId } from "./profile.ts";
import { ANTHROPIC_STRICT_2026_11 } from "./profiles/anthropic-strict@2026-11.ts";
import { ANTHROPIC_TOOL_2026_11 } from "./profiles/anthropic-tool@2026-11.ts";
import { AZURE_OPENAI_2025_12 } from "./profiles/azure-openai@2025-12.ts";
import { BEDROCK_2026_11 } from "./profiles/bedrock@2026-11.ts";
import { GEMINI_JSON_SCHEMA_2026_11 } from "./profiles/gemini-json-schema@2026-11.ts";
import { GEMINI_RESPONSE_SCHEMA_2026_11 } from "./profiles/gemini-response-schema@2026-11.ts";
import { LLAMA_CPP_2026_11 } from "./profiles/llama-cpp@2026-11.ts";
import { MCP_2026_07 } from "./profiles/mcp@2026-07.ts";
import { OLLAMA_2026_11 } from "./profiles/ollama@2026-11.ts";
import { OPENAI_STRICT_2026_11 } from "./profiles/openai-strict@2026-11.ts";
import { SGLANG_2026_11 } from "./profiles/sglang@2026-11.ts";
import { TENSORRT_LLM_2026_11 } from "./profiles/tensorrt-llm@2026-11.ts";
import { VLLM_2026_11 } from "./profiles/vllm@2026-11.ts";

export const PROFILES: readonly Profile[] = [
  OPENAI_STRICT_2026_11,
  AZURE_OPENAI_2025_12,
  ANTHROPIC_STRICT_2026_11,
  ANTHROPIC_TOOL_2026_11,
  BEDROCK_2026_11,
  GEMINI_JSON_SCHEMA_2026_11,
  GEMINI_RESPONSE_SCHEMA_2026_11,
  MCP_2026_07,
  VLLM_2026_11,
  SGLANG_2026_11,
  TENSORRT_LLM_2026_11,
  LLAMA_CPP_2026_11,
  OLLAMA_2026_11,
];

/** Common names of the providers, and their profiles. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  openai: "openai-strict",
  azure: "azure-openai",
  anthropic: "anthropic-strict",
  gemini: "gemini-json-schema",
  xgrammar: "vllm",
  "llama.cpp": "llama-cpp",
};

type UnknownProfile = { readonly message: string };

export function profileNamed(text: string): Result<Profile, UnknownProfile> {
  const at = text.indexOf("@");
  const given = at === -1 ? text : text.slice(0, at);
  const name = Object.hasOwn(SHORT_NAMES, given) ? SHORT_NAMES[given]! : given;
  const dated = PROFILES.filter((profile) => profile.name === name);
  if (dated.length === 0)
    return refuse({ message: `"${given}" is not a profile (expected ${PROFILE_NAMES.join(", ")}).` });
  if (at === -1) return ok(dated.reduce((a, b) => (a.date >= b.date ? a : b)));
  const date = text.slice(at + 1);
  const found = dated.find((profile) => profile.date === date);
  if (found !== undefined) return ok(found);
  return refuse({ message: `"${text}" is not a profile (expected ${dated.map(profileId).join(", ")}).` });
}
