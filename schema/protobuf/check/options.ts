/**
 * Checks all options of a file: known, set once, of the right type, allowed on their element and in the file's edition.
 */

import { type Enum, type Field, fileScope, joinName, type Message, type Option, type Scope } from "../model.ts";
import { type FeatureName, setFeatures, usesEditions } from "../options/editions.ts";
import { OptionInterpreter, type OptionKind } from "../options/interpreter.ts";
import { plainOption } from "../options/plain.ts";
import type { CheckContext } from "./context.ts";

/** Features that were added after edition 2023. */
const SINCE_2024: readonly FeatureName[] = ["enforce_naming_style", "default_symbol_visibility"];
const REMOVED_IN_2024 = ["java_multiple_files", "ctype"];
/** Field options that a descriptor stores in the field itself, not among its options. */
const NO_OPTIONS: ReadonlySet<string> = new Set(["default", "json_name"]);

export function checkOptions(context: CheckContext): void {
  new OptionChecker(context).check();
}

class OptionChecker {
  readonly #interpreter: OptionInterpreter;

  readonly context: CheckContext;

  constructor(context: CheckContext) {
    this.context = context;
    this.#interpreter = new OptionInterpreter(context.model, {
      problem: ({ rule, message, offset }) => {
        if (context.options.keepsUnresolvedOptions) context.warn(rule, message, offset);
        else context.error(rule, message, offset);
      },
      uses: (file) => context.used.add(file),
    });
  }

  check(): void {
    const { file } = this.context;
    const scope = fileScope(file);
    this.#options("FileOptions", scope, file.options);
    this.#fileFeatures();
    for (const message of file.messages) this.#message(scope, message);
    for (const element of file.enums) this.#enum(scope, element);
    for (const { fields } of file.extends) this.#fields(scope, fields);
    for (const service of file.services) {
      const inner = { file, fullName: joinName(scope.fullName, service.name) };
      this.#options("ServiceOptions", scope, service.options);
      for (const { options } of service.methods) this.#options("MethodOptions", inner, options);
    }
  }

  #message(around: Scope, message: Message): void {
    const scope = { file: around.file, fullName: joinName(around.fullName, message.name) };
    // Names in a message's own options are looked up from the enclosing scope, as in protoc.
    this.#options("MessageOptions", around, message.options);
    this.#fields(scope, message.fields);
    for (const { options } of message.oneofs) this.#options("OneofOptions", scope, options);
    for (const { options } of message.extensionRanges) this.#options("ExtensionRangeOptions", around, options);
    for (const nested of message.messages) if (nested.synthetic !== "map_entry") this.#message(scope, nested);
    for (const nested of message.enums) this.#enum(scope, nested);
    for (const { fields } of message.extends) this.#fields(scope, fields);
  }

  #enum(around: Scope, element: Enum): void {
    this.#options("EnumOptions", around, element.options);
    for (const { options } of element.values) this.#options("EnumValueOptions", around, options);
  }

  #fields(scope: Scope, fields: readonly Field[]): void {
    for (const { options } of fields) {
      for (const name of NO_OPTIONS) this.#onlyOnce(options, name);
      this.#options(
        "FieldOptions",
        scope,
        options.filter(({ name }) => name.length > 1 || name[0]!.isExtension || !NO_OPTIONS.has(name[0]!.name)),
      );
    }
  }

  #onlyOnce(options: readonly Option[], wanted: string): void {
    const found = options.filter(({ name }) => name.length === 1 && !name[0]!.isExtension && name[0]!.name === wanted);
    if (found.length > 1) this.context.error("duplicate_option", `"${wanted}" is already set.`, found[1]!.start);
  }

  #options(kind: OptionKind, scope: Scope, options: readonly Option[]): void {
    if (options.length === 0) return;
    this.#interpreter.interpret(kind, scope, options);
    for (const name of REMOVED_IN_2024) {
      const removed = this.context.file.edition === "2024" ? plainOption(options, name) : undefined;
      if (removed !== undefined) this.context.error("edition_feature", `Edition 2024 has no "${name}".`, removed.start);
    }
    const features = options.find(({ name }) => !name[0]!.isExtension && name[0]!.name === "features");
    if (features === undefined) return;
    const { file } = this.context;
    if (!usesEditions(file)) {
      this.context.error("feature", "Features are for editions only.", features.start);
      return;
    }
    const set = setFeatures(options);
    for (const [name, value] of Object.entries(set)) {
      if (value.endsWith("_UNKNOWN")) {
        this.context.error("feature", `features.${name} needs a known value.`, features.start);
      }
    }
    for (const name of SINCE_2024) {
      if (set[name] !== undefined && file.edition === "2023") {
        this.context.error("feature", `features.${name} needs edition 2024.`, features.start);
      }
    }
  }

  #fileFeatures(): void {
    const { file } = this.context;
    if (!usesEditions(file)) return;
    if (setFeatures(file.options).field_presence === "LEGACY_REQUIRED") {
      const message = "features.field_presence: fields cannot be required by default.";
      this.context.error("feature", message, file.options[0]!.start);
    }
    const utf8 = plainOption(file.options, "java_string_check_utf8");
    if (utf8 !== undefined) {
      const message = 'Editions have no "java_string_check_utf8"; use features.utf8_validation.';
      this.context.error("feature", message, utf8.start);
    }
  }
}
