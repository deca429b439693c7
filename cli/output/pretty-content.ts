/** A registered text, formatted for people. */
import { parseJsonText, writeJsonText } from "../../schema/json-text.ts";

/** Indented, unless that would change it: JavaScript rounds long numbers and moves keys that look like numbers. */
export function prettyContent(format: string, text: string): string {
  if (format === "protobuf") return text.trimEnd();
  const written = compact(text);
  // Avro may hold comments, which JSON.parse refuses.
  if (written === undefined) return text;
  const pretty = JSON.stringify(JSON.parse(text), null, 2);
  return compact(pretty) === written ? pretty : text;
}

function compact(text: string): string | undefined {
  const parsed = parseJsonText(text);
  return parsed.ok ? writeJsonText(parsed.value.root) : undefined;
}
