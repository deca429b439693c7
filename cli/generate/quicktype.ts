/** TypeScript, Go, Java and Rust, with the constraints that quicktype supports. */
import { FetchingJSONSchemaStore, InputData, JSONSchemaInput, quicktypeMultiFile } from "quicktype-core";

type QuicktypeLanguage = "typescript" | "go" | "java" | "rust";

type GeneratedFiles = Record<string, string>;

const OPTIONS: Readonly<Record<QuicktypeLanguage, (packageName: string) => Record<string, string | boolean>>> = {
  typescript: () => ({ "just-types": true }),
  go: (packageName) => ({ "just-types-and-package": true, package: packageName }),
  java: (packageName) => ({ "just-types": true, package: packageName }),
  rust: () => ({ visibility: "public", "derive-partial-eq": true, "leading-comments": false }),
};

export async function generateWithQuicktype(
  schema: string,
  name: string,
  { language, packageName }: { language: QuicktypeLanguage; packageName: string },
): Promise<GeneratedFiles> {
  const input = new JSONSchemaInput(new NoFetching());
  await input.addSource({ name, schema });
  const inputData = new InputData();
  inputData.addInput(input);
  const rendererOptions = OPTIONS[language](packageName);
  const files = await quicktypeMultiFile({ inputData, lang: language, rendererOptions, outputFilename: name });
  return Object.fromEntries([...files].map(([file, { lines }]) => [file, lines.join("\n")]));
}

/** A $ref to another document stays unresolved: a generator must not read the network. */
class NoFetching extends FetchingJSONSchemaStore {
  override fetch(address: string): Promise<never> {
    return Promise.reject(new Error(`${address} is another document; \`llmsr types\` takes one with --ref.`));
  }
}
