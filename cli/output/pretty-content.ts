/** A registered text as people read it. */
import { parseJsonText, writeJsonText } from "../../schema/json-text.ts";

/** Indented, unless that would change it: JavaScript rounds long numbers and moves keys that look like numbers. */
export function prettyContent(format: string, text: string): string {
  if (format === "protobuf") return text.trimEnd();
  const pretty = JSON.stringify(JSON.parse(text), null, 2);
  return compact(pretty) === compact(text) ? pretty : text;
}

function compact(text: string): string | undefined {
  const parsed = parseJsonText(text);
  return parsed.ok ? writeJsonText(parsed.value.root) : undefined;
}
