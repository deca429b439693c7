/**
 * Buf's breaking rules for files, messages, enums and services. The module is the file with the other files that are
 * compared together with it. Elements are paired by full name, so after a change of package only the package itself is
 * reported. https://buf.build/docs/breaking/rules/
 */
import type { Difference } from "../../../compatibility.ts";
import type { DifferenceList } from "../../../difference-list.ts";
import type { Sliced } from "../../../slices.ts";
import type { WorkMeter } from "../../../work-meter.ts";
import {
  type Definition,
  type Enum,
  isEnumDefinition,
  isMessageDefinition,
  joinName,
  type Message,
  type Method,
  type ProtobufModel,
  type Reserved,
  type Service,
} from "../../model.ts";
import { booleanOption } from "../../options/plain.ts";
import { textOption } from "../features.ts";
import { LinkedModel, localName, messageMicros } from "../linked.ts";
import { CoveredNumbers, showRange } from "../ranges.ts";
import { type BufPolicy, type BufRule, isRuleOf } from "./categories.ts";
import { compareBufFields } from "./field-rules.ts";

/** One broken rule; it is dropped if the category does not contain it. */
export type ReportBuf = (
  rule: BufRule,
  reader: string | null,
  writer: string | null,
  message: string,
  fix: string,
) => void;

/** Compares by the rules of one of Buf's categories; the other files belong to the reader's module. */
export function compareByBufRules(
  { reader, beside }: { reader: ProtobufModel; beside: readonly ProtobufModel[] },
  writer: ProtobufModel,
  policy: BufPolicy,
  work: WorkMeter,
  list: DifferenceList<Difference>,
): Sliced<void> {
  const report: ReportBuf = (kind, reader_pointer, writer_pointer, message, fix) => {
    if (!isRuleOf(policy, kind) || !list.count("breaking")) return;
    list.add({ kind, reader_pointer, writer_pointer, message, severity: "breaking", fix });
  };
  const others = beside.map((model) => new LinkedModel(model));
  return new BufComparison(new LinkedModel(reader), new LinkedModel(writer), others, report, work).compare();
}

/** A pair, and the file of the reader's module that contains its second part. */
type Paired<E extends Message | Enum> = { writer: Definition<E>; reader: Definition<E>; side: LinkedModel };

class BufComparison {
  readonly reader: LinkedModel;
  readonly writer: LinkedModel;
  readonly beside: readonly LinkedModel[];
  readonly report: ReportBuf;
  readonly work: WorkMeter;

  constructor(
    reader: LinkedModel,
    writer: LinkedModel,
    beside: readonly LinkedModel[],
    report: ReportBuf,
    work: WorkMeter,
  ) {
    this.reader = reader;
    this.writer = writer;
    // Only elements in the writer's package can have moved out of it.
    this.beside = beside.filter(({ file }) => file.package === writer.file.package);
    this.report = report;
    this.work = work;
  }

  *compare(): Sliced<void> {
    this.#compareFiles();
    this.#compareExtensionLists();
    const messages = this.#pairMessages();
    for (const pair of messages) {
      this.work.note(messageMicros(pair.writer.element));
      if (this.work.isSliceOver()) yield this.work.takeMicros();
      this.#compareMessages(pair);
    }
    for (const pair of this.#pairEnums()) this.#compareEnums(pair);
    this.#compareServices();
    const context = { reader: this.reader, writer: this.writer, report: this.report, work: this.work };
    for (const { writer, reader, side } of messages) {
      this.work.note(messageMicros(writer.element));
      if (this.work.isSliceOver()) yield this.work.takeMicros();
      const [before, after] = [this.writer.message(writer), side.message(reader)];
      compareBufFields({ ...context, reader: side }, before.fields, after.fields, {
        reader: reader.element,
        isMapEntry: before.isMapEntry && after.isMapEntry,
      });
    }
    for (const [extendee, { fields }] of this.writer.extensions()) {
      const match = this.reader.extensions().get(extendee);
      if (match !== undefined) compareBufFields(context, fields, match.fields, { reader: null, isMapEntry: false });
    }
  }

  get #keepsPackage(): boolean {
    return this.reader.file.package === this.writer.file.package;
  }

  #compareFiles(): void {
    const [before, after] = [this.writer.file, this.reader.file];
    if (before.package !== after.package) {
      const text = `The package changed from "${before.package}" to "${after.package}".`;
      this.report("FILE_SAME_PACKAGE", "#", "#", text, `Keep the package "${before.package}".`);
      const gone = `The reader has no package "${before.package}".`;
      if (this.beside.length === 0) {
        this.report("PACKAGE_NO_DELETE", null, "#", gone, `Keep the package "${before.package}".`);
      }
    }
    const syntaxes = [before, after].map(({ edition }) => (edition.startsWith("proto") ? edition : "editions"));
    if (syntaxes[0] !== syntaxes[1]) {
      const text = `The syntax changed from ${syntaxes[0]} to ${syntaxes[1]}.`;
      this.report("FILE_SAME_SYNTAX", "#", "#", text, `Keep the syntax ${syntaxes[0]}.`);
    }
    for (const [rule, name, absent] of FILE_OPTIONS) {
      const was = textOption(before.options, name) ?? absent;
      const is = textOption(after.options, name) ?? absent;
      if (was === is) continue;
      const text = `The file option "${name}" changed from "${was}" to "${is}".`;
      this.report(rule, "#", "#", text, `Keep "${name}" at "${was}".`);
    }
  }

  #pairMessages(): Paired<Message>[] {
    const after = this.reader.fileMessages();
    const byLocalName = new Map(after.map((definition) => [localName(definition), definition]));
    const pairs: Paired<Message>[] = [];
    for (const definition of this.writer.fileMessages()) {
      const name = localName(definition);
      const place = this.writer.pointer(definition);
      this.work.spend(1, () => place);
      const match = byLocalName.get(name);
      if (match?.fullName === definition.fullName) {
        pairs.push({ writer: definition, reader: match, side: this.reader });
        continue;
      }
      const moved = this.#findBeside(definition, isMessageDefinition);
      if (moved !== undefined) pairs.push({ writer: definition, ...moved });
      if (match === undefined) this.#reportDeleted("MESSAGE_NO_DELETE", "message", name, place);
      const keepsAny = this.#keepsAny(after.length, (side) => side.file.messages.length > 0);
      if (moved === undefined && keepsAny) this.#reportGone("PACKAGE_MESSAGE_NO_DELETE", "message", name, place);
    }
    return pairs;
  }

  #pairEnums(): Paired<Enum>[] {
    const after = this.reader.fileEnums();
    const byLocalName = new Map(after.map((definition) => [localName(definition), definition]));
    const pairs: Paired<Enum>[] = [];
    for (const definition of this.writer.fileEnums()) {
      const name = localName(definition);
      const place = this.writer.pointer(definition);
      this.work.spend(1, () => place);
      const match = byLocalName.get(name);
      if (match?.fullName === definition.fullName) {
        pairs.push({ writer: definition, reader: match, side: this.reader });
        continue;
      }
      const moved = this.#findBeside(definition, isEnumDefinition);
      if (moved !== undefined) pairs.push({ writer: definition, ...moved });
      if (match === undefined) this.#reportDeleted("ENUM_NO_DELETE", "enum", name, place);
      const keepsAny = this.#keepsAny(after.length, (side) => side.fileEnums().length > 0);
      if (moved === undefined && keepsAny) this.#reportGone("PACKAGE_ENUM_NO_DELETE", "enum", name, place);
    }
    return pairs;
  }

  /** The new location, in the reader's module, of an element that its file no longer has. */
  #findBeside<E extends Message | Enum>(
    { fullName }: Definition<E>,
    isKind: (definition: Definition) => definition is Definition<E>,
  ): { reader: Definition<E>; side: LinkedModel } | undefined {
    for (const side of this.beside) {
      this.work.spend(1, () => `#/${fullName}`);
      const found = side.model.definitions.get(fullName);
      if (found !== undefined && found.file === side.file && isKind(found)) return { reader: found, side };
    }
    return undefined;
  }

  /**
   * Whether the writer's package still has any element of a kind, in the reader's file or in another file of its
   * module.
   */
  #keepsAny(count: number, hasAny: (side: LinkedModel) => boolean): boolean {
    return (this.#keepsPackage && count > 0) || this.beside.some(hasAny);
  }

  #compareExtensionLists(): void {
    const [before, after] = [extensionNames(this.writer), extensionNames(this.reader)];
    for (const [name, place] of before) {
      this.work.spend(1, () => place);
      if (after.has(name) && this.#keepsPackage) continue;
      if (!after.has(name)) this.#reportDeleted("EXTENSION_NO_DELETE", "extension", name, place);
      const isBeside = this.beside.some((side) => extensionNames(side).has(name));
      const keepsAny = this.#keepsAny(after.size, (side) => side.extensions().size > 0);
      if (!isBeside && keepsAny) this.#reportGone("PACKAGE_EXTENSION_NO_DELETE", "extension", name, place);
    }
  }

  #reportDeleted(rule: BufRule, noun: string, name: string, place: string): void {
    this.report(rule, null, place, `The reader has no ${noun} "${name}".`, `Keep the ${noun} "${name}".`);
  }

  #reportGone(rule: BufRule, noun: string, name: string, place: string): void {
    const text = `The package "${this.writer.file.package}" of the reader has no ${noun} "${name}".`;
    this.report(rule, null, place, text, `Keep the ${noun} "${name}".`);
  }

  #compareMessages({ writer, reader, side }: Paired<Message>): void {
    const [before, after] = [this.writer.message(writer), side.message(reader)];
    const name = localName(writer);
    const [place, readerPlace] = [before.pointer, after.pointer];
    const accessor = "no_standard_descriptor_accessor";
    if (!booleanOption(writer.element.options, accessor) && booleanOption(reader.element.options, accessor)) {
      const text = `The message "${name}" gives up its standard descriptor accessor.`;
      const rule = "MESSAGE_NO_REMOVE_STANDARD_DESCRIPTOR_ACCESSOR";
      this.report(rule, readerPlace, place, text, `Leave "${accessor}" at false.`);
    }
    if (before.features.json_format === "ALLOW" && after.features.json_format !== "ALLOW") {
      const text = `The JSON mapping of the message "${name}" is only supported as far as it goes.`;
      this.report("MESSAGE_SAME_JSON_FORMAT", readerPlace, place, text, "Leave the JSON format at ALLOW.");
    }
    const oneofs = new Set(reader.element.oneofs.map((oneof) => oneof.name));
    for (const oneof of writer.element.oneofs) {
      if (oneofs.has(oneof.name)) continue;
      const text = `The message "${name}" of the reader has no oneof "${oneof.name}".`;
      this.report("ONEOF_NO_DELETE", null, `${place}/${oneof.name}`, text, `Keep the oneof "${oneof.name}".`);
    }
    this.#compareReserved(
      "RESERVED_MESSAGE_NO_DELETE",
      writer.element,
      reader.element,
      `message "${name}"`,
      readerPlace,
      place,
    );
    const kept = new CoveredNumbers(reader.element.extensionRanges.flatMap(({ ranges }) => ranges));
    for (const range of writer.element.extensionRanges.flatMap(({ ranges }) => ranges)) {
      this.work.spend(1, () => place);
      if (kept.covers(range)) continue;
      const text = `The message "${name}" of the reader gives up extension numbers of ${showRange(range)}.`;
      this.report(
        "EXTENSION_MESSAGE_NO_DELETE",
        readerPlace,
        place,
        text,
        `Keep the extension range ${showRange(range)}.`,
      );
    }
  }

  #compareReserved(
    rule: BufRule,
    before: { reserved: readonly Reserved[] },
    after: { reserved: readonly Reserved[] },
    noun: string,
    readerPlace: string,
    place: string,
  ): void {
    const kept = new CoveredNumbers(after.reserved.flatMap((reserved) => reserved.ranges));
    const names = new Set(after.reserved.flatMap((reserved) => reserved.names));
    for (const reserved of before.reserved) {
      for (const name of reserved.names) {
        this.work.spend(1, () => place);
        if (names.has(name)) continue;
        const text = `The ${noun} of the reader no longer reserves the name "${name}".`;
        this.report(rule, readerPlace, place, text, `Keep the name "${name}" reserved.`);
      }
      for (const range of reserved.ranges) {
        this.work.spend(1, () => place);
        if (kept.covers(range)) continue;
        const text = `The ${noun} of the reader no longer reserves all numbers of ${showRange(range)}.`;
        this.report(rule, readerPlace, place, text, `Keep ${showRange(range)} reserved.`);
      }
    }
  }

  #compareEnums({ writer, reader, side }: Paired<Enum>): void {
    const [before, after] = [this.writer.enum(writer), side.enum(reader)];
    const name = localName(writer);
    if (before.features.enum_type !== after.features.enum_type) {
      const text = `The enum "${name}" changed from ${before.features.enum_type} to ${after.features.enum_type}.`;
      this.report(
        "ENUM_SAME_TYPE",
        after.pointer,
        before.pointer,
        text,
        `Keep the enum type ${before.features.enum_type}.`,
      );
    }
    if (before.features.json_format === "ALLOW" && after.features.json_format !== "ALLOW") {
      const text = `The JSON mapping of the enum "${name}" is only supported as far as it goes.`;
      this.report("ENUM_SAME_JSON_FORMAT", after.pointer, before.pointer, text, "Leave the JSON format at ALLOW.");
    }
    this.#compareReserved(
      "RESERVED_ENUM_NO_DELETE",
      writer.element,
      reader.element,
      `enum "${name}"`,
      after.pointer,
      before.pointer,
    );
    const reservedNames = new Set(reader.element.reserved.flatMap((reserved) => reserved.names));
    const reservedNumbers = new CoveredNumbers(reader.element.reserved.flatMap((reserved) => reserved.ranges));
    for (const [number, names] of before.names) {
      const place = `${before.pointer}/${number}`;
      this.work.spend(1, () => place);
      const match = after.names.get(number);
      const listed = names.map((text) => `"${text}"`).join(", ");
      if (match === undefined) {
        const text = `The enum "${name}" of the reader has no value ${number} (${listed})`;
        this.report("ENUM_VALUE_NO_DELETE", null, place, `${text}.`, `Keep the value ${number}.`);
        if (!names.every((one) => reservedNames.has(one))) {
          this.report(
            "ENUM_VALUE_NO_DELETE_UNLESS_NAME_RESERVED",
            null,
            place,
            `${text}, and does not reserve the name.`,
            `Reserve ${listed}.`,
          );
        }
        if (!reservedNumbers.has(number)) {
          this.report(
            "ENUM_VALUE_NO_DELETE_UNLESS_NUMBER_RESERVED",
            null,
            place,
            `${text}, and does not reserve the number.`,
            `Reserve ${number}.`,
          );
        }
      } else if (!names.every((one) => match.includes(one))) {
        // Buf reports it at each of the reader's aliases.
        for (const one of match) {
          const text = `The value ${number} of the enum "${name}" changed its name from ${listed} to "${one}".`;
          this.report("ENUM_VALUE_SAME_NAME", `${after.pointer}/${number}`, place, text, `Keep the name ${listed}.`);
        }
      }
    }
  }

  #compareServices(): void {
    const after = new Map(this.reader.file.services.map((service) => [service.name, service]));
    for (const service of this.writer.file.services) {
      const place = `#/${service.name}`;
      this.work.spend(1, () => place);
      const match = after.get(service.name);
      if (match !== undefined && this.#keepsPackage) {
        this.#compareMethods(service, { service: match, side: this.reader }, place);
        continue;
      }
      if (match === undefined) this.#reportDeleted("SERVICE_NO_DELETE", "service", service.name, place);
      const moved = this.#findService(service.name);
      if (moved !== undefined) this.#compareMethods(service, moved, place);
      else if (this.#keepsPackage || this.beside.length > 0) {
        this.#reportGone("PACKAGE_SERVICE_NO_DELETE", "service", service.name, place);
      }
    }
  }

  #findService(wanted: string): { service: Service; side: LinkedModel } | undefined {
    for (const side of this.beside) {
      const service = side.file.services.find(({ name }) => name === wanted);
      if (service !== undefined) return { service, side };
    }
    return undefined;
  }

  #compareMethods(before: Service, after: { service: Service; side: LinkedModel }, place: string): void {
    const methods = new Map(after.service.methods.map((method) => [method.name, method]));
    for (const method of before.methods) {
      const pointer = `${place}/${method.name}`;
      this.work.spend(1, () => pointer);
      const match = methods.get(method.name);
      if (match !== undefined) this.#compareMethod(before, after, method, match, pointer);
      else {
        const text = `The service "${before.name}" of the reader has no rpc "${method.name}".`;
        this.report("RPC_NO_DELETE", null, pointer, text, `Keep the rpc "${method.name}".`);
      }
    }
  }

  #compareMethod(
    writerService: Service,
    readerService: { service: Service; side: LinkedModel },
    before: Method,
    after: Method,
    place: string,
  ): void {
    const changed = (rule: BufRule, what: string, was: string, is: string) => {
      if (was === is) return;
      const text = `The ${what} of the rpc "${before.name}" changed from ${was} to ${is}.`;
      this.report(rule, place, place, text, `Keep the ${what} ${was}.`);
    };
    const stream = (isStream: boolean) => (isStream ? "streaming" : "unary");
    const typeOf = (side: LinkedModel, service: Service, name: string) => {
      const scope = { file: side.file, fullName: joinName(side.file.package, service.name) };
      return `"${side.typeNameIn(scope, name)}"`;
    };
    const level = (method: Method) => textOption(method.options, "idempotency_level") ?? "IDEMPOTENCY_UNKNOWN";
    const [input, output] = [before.input.name, before.output.name];
    changed("RPC_SAME_CLIENT_STREAMING", "client side", stream(before.input.stream), stream(after.input.stream));
    changed("RPC_SAME_SERVER_STREAMING", "server side", stream(before.output.stream), stream(after.output.stream));
    changed(
      "RPC_SAME_REQUEST_TYPE",
      "request type",
      typeOf(this.writer, writerService, input),
      typeOf(readerService.side, readerService.service, after.input.name),
    );
    changed(
      "RPC_SAME_RESPONSE_TYPE",
      "response type",
      typeOf(this.writer, writerService, output),
      typeOf(readerService.side, readerService.service, after.output.name),
    );
    changed("RPC_SAME_IDEMPOTENCY_LEVEL", "idempotency level", level(before), level(after));
  }
}

/** Rule, option, and the option's default. */
const FILE_OPTIONS: readonly (readonly [BufRule, string, string])[] = [
  ["FILE_SAME_CC_ENABLE_ARENAS", "cc_enable_arenas", "true"],
  ["FILE_SAME_CC_GENERIC_SERVICES", "cc_generic_services", "false"],
  ["FILE_SAME_CSHARP_NAMESPACE", "csharp_namespace", ""],
  ["FILE_SAME_GO_PACKAGE", "go_package", ""],
  ["FILE_SAME_JAVA_GENERIC_SERVICES", "java_generic_services", "false"],
  ["FILE_SAME_JAVA_MULTIPLE_FILES", "java_multiple_files", "false"],
  ["FILE_SAME_JAVA_OUTER_CLASSNAME", "java_outer_classname", ""],
  ["FILE_SAME_JAVA_PACKAGE", "java_package", ""],
  ["FILE_SAME_OBJC_CLASS_PREFIX", "objc_class_prefix", ""],
  ["FILE_SAME_OPTIMIZE_FOR", "optimize_for", "SPEED"],
  ["FILE_SAME_PHP_CLASS_PREFIX", "php_class_prefix", ""],
  ["FILE_SAME_PHP_METADATA_NAMESPACE", "php_metadata_namespace", ""],
  ["FILE_SAME_PHP_NAMESPACE", "php_namespace", ""],
  ["FILE_SAME_PY_GENERIC_SERVICES", "py_generic_services", "false"],
  ["FILE_SAME_RUBY_PACKAGE", "ruby_package", ""],
  ["FILE_SAME_SWIFT_PREFIX", "swift_prefix", ""],
];

/** Names without the package, each with its pointer. */
function extensionNames(side: LinkedModel): Map<string, string> {
  const names = new Map<string, string>();
  for (const { fields } of side.extensions().values()) {
    for (const { extensionName, pointer } of fields.values()) {
      names.set(localName({ file: side.file, fullName: extensionName! }), pointer);
    }
  }
  return names;
}
