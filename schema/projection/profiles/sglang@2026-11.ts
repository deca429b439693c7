import type { Profile } from "../profile.ts";
import { VLLM_2026_11 } from "./vllm@2026-11.ts";

export const SGLANG_2026_11: Profile = {
  ...VLLM_2026_11,
  name: "sglang",
  date: "2026-11",
  provider: "SGLang",
  purpose: "response_format and sampling_params of SGLang with its default backend, xgrammar.",
  shapes: ["sglang-sampling-params", "openai-chat-response-format"],
};
