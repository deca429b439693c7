import type { Profile } from "../profile.ts";
import { LLAMA_CPP_2026_11 } from "./llama-cpp@2026-11.ts";

export const OLLAMA_2026_11: Profile = {
  ...LLAMA_CPP_2026_11,
  name: "ollama",
  date: "2026-11",
  provider: "Ollama",
  purpose:
    "format of /api/chat and /api/generate, and response_format of its OpenAI endpoints; enforcement is llama.cpp's.",
  shapes: ["ollama-format", "openai-chat-response-format", "openai-responses-text-format"],
};
