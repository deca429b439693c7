/** Random .proto files and random changes to them, from a seed: the pairs for property tests and Buf. */

/** A small seeded generator (mulberry32): same seed, same schema. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
}

type Syntax = "proto2" | "proto3" | "2023";
type GenField = {
  name: string;
  number: number;
  label: "" | "optional" | "required" | "repeated";
  /** A scalar, the name of a message or enum, `map<…>` or `group`. */
  type: string;
  options: Record<string, string>;
  oneof: string | null;
};
type GenEnum = { name: string; values: { name: string; number: number }[]; reserved: string[]; closed: boolean };
type GenMessage = {
  name: string;
  fields: GenField[];
  messages: GenMessage[];
  enums: GenEnum[];
  reserved: string[];
  extensions: string[];
  options: Record<string, string>;
};
type GenRpc = { name: string; input: string; output: string; options: Record<string, string> };
export type GenFile = {
  syntax: Syntax;
  package: string;
  options: Record<string, string>;
  messages: GenMessage[];
  enums: GenEnum[];
  services: { name: string; rpcs: GenRpc[] }[];
  extends: { extendee: string; field: GenField }[];
};

/** Built-in types and the files they are imported from. */
const WELL_KNOWN: Record<string, string> = {
  "google.protobuf.Timestamp": "google/protobuf/timestamp.proto",
  "google.protobuf.Duration": "google/protobuf/duration.proto",
  "google.protobuf.StringValue": "google/protobuf/wrappers.proto",
  "google.protobuf.Any": "google/protobuf/any.proto",
};

const SCALARS =
  "double float int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string bytes".split(" ");
const MAP_KEYS = "int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string".split(" ");
const NAMES = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu".split(" ");

/** A file with a few messages, enums and services. */
export function generateFile(random: Random, packageName: string): GenFile {
  const syntax = random.pick<Syntax>(["proto2", "proto3", "proto3", "2023"]);
  const file: GenFile = {
    syntax,
    package: packageName,
    options: {},
    enums: [generateEnum(random, syntax, "Color", "COLOR"), generateEnum(random, syntax, "Shape", "SHAPE")],
    messages: [],
    services: [],
    extends: [],
  };
  for (const name of ["Order", "Item", "Node"]) {
    const message = emptyMessage(name);
    if (random.chance(0.4)) message.enums.push(generateEnum(random, syntax, "Color", `${name.toUpperCase()}_COLOR`));
    if (random.chance(0.4)) message.messages.push(emptyMessage("Inner"));
    if (random.chance(0.3)) message.reserved.push("50 to 60", "70", '"old"', '"older"');
    if (syntax !== "proto3" && random.chance(0.3)) message.extensions.push("100 to 199");
    file.messages.push(message);
  }
  const isWellKnown = random.chance(0.3);
  for (const message of allMessages(file)) {
    const count = 1 + random.below(6);
    for (let at = 0; at < count; at += 1) addField(random, file, message);
    const field = message.fields[0]!;
    if (isWellKnown && field.type === "Item") field.type = random.pick(Object.keys(WELL_KNOWN));
  }
  if (random.chance(0.3)) addPair(random, file);
  if (random.chance(0.3)) addUnreached(random, file);
  if (random.chance(0.4)) {
    const rpc = (name: string): GenRpc => ({ name, input: streamed(random, "Order"), output: "Item", options: {} });
    file.services.push({ name: "Shop", rpcs: [rpc("Buy"), rpc("Sell")] });
    if (random.chance(0.3)) file.services.push({ name: "Bank", rpcs: [rpc("Pay")] });
  }
  for (const { name, extensions } of file.messages) {
    if (extensions.length === 0 || random.chance(0.3)) continue;
    const field = { ...emptyField(`extra_${name.toLowerCase()}`, 100 + random.below(3)), type: random.pick(SCALARS) };
    file.extends.push({ extendee: name, field: { ...field, label: syntax === "proto2" ? "optional" : "" } });
  }
  return file;
}

/** A message that resembles a map entry, and a field that contains it or the map. */
function addPair(random: Random, file: GenFile): void {
  const pair = emptyMessage("Pair");
  const names = random.chance(0.6) ? ["key", "value"] : ["author", "title"];
  const [keyType, valueType] = [random.pick(MAP_KEYS), random.pick([...SCALARS, "Item", "Color"])];
  for (const [at, type] of [keyType, valueType].entries()) {
    const label = file.syntax === "proto2" || random.chance(0.2) ? "optional" : "";
    const oneof = random.chance(0.1) ? "choice" : null;
    const isLabelled = oneof === null && file.syntax !== "2023";
    pair.fields.push({ ...emptyField(names[at]!, at + 1), type, label: isLabelled ? label : "", oneof });
  }
  if (random.chance(0.2)) addField(random, file, pair);
  if (random.chance(0.1)) pair.fields.splice(random.below(2), 1);
  file.messages.push(pair);
  const holder = file.messages[0]!;
  const field = emptyField("pair", freeNumber(random, holder));
  const isMapField = random.chance(0.3);
  const single = file.syntax === "proto2" ? "optional" : "";
  const label = random.chance(0.5) ? "repeated" : single;
  holder.fields.push({
    ...field,
    type: isMapField ? `map<${keyType}, ${valueType}>` : "Pair",
    label: isMapField ? "" : label,
  });
}

/** Types that initially no field uses. */
function addUnreached(random: Random, file: GenFile): void {
  file.enums.push(generateEnum(random, file.syntax, "Unheld", "UNHELD"));
  const unsent = emptyMessage("Unsent");
  addField(random, file, unsent);
  addField(random, file, unsent);
  random.pick(file.messages).messages.push(unsent);
}

function emptyMessage(name: string): GenMessage {
  return { name, fields: [], messages: [], enums: [], reserved: [], extensions: [], options: {} };
}

function streamed(random: Random, name: string): string {
  return random.chance(0.3) ? `stream ${name}` : name;
}

function generateEnum(random: Random, syntax: Syntax, name: string, prefix: string): GenEnum {
  const values = [{ name: `${prefix}_ZERO`, number: 0 }];
  const count = 1 + random.below(3);
  for (let at = 1; at <= count; at += 1) values.push({ name: `${prefix}_${NAMES[at]!.toUpperCase()}`, number: at });
  if (random.chance(0.2)) values.push({ name: `${prefix}_NEGATIVE`, number: -1 });
  return {
    name,
    values,
    reserved: random.chance(0.3) ? ["10 to 20", "30"] : [],
    closed: syntax === "2023" && random.chance(0.3),
  };
}

function emptyField(name: string, number: number): GenField {
  return { name, number, label: "", type: "int32", options: {}, oneof: null };
}

function addField(random: Random, file: GenFile, message: GenMessage): void {
  const number = freeNumber(random, message);
  const name = freeName(random, message);
  const field = emptyField(name, number);
  message.fields.push(field);
  retype(random, file, field);
  relabel(random, file, field);
  if (random.chance(0.25)) moveIntoOneof(random, field);
  else if (random.chance(0.3)) redefault(random, file, message, field);
}

function freeNumber(random: Random, message: GenMessage): number {
  const taken = new Set(message.fields.map(({ number }) => number));
  for (;;) {
    const number = 1 + random.below(20);
    if (!taken.has(number)) return number;
  }
}

function freeName(random: Random, message: GenMessage): string {
  const taken = new Set(message.fields.map(({ name }) => name));
  for (;;) {
    const name = `${random.pick(NAMES)}_${random.pick(["a", "b", "c"])}`;
    if (!taken.has(name)) return name;
  }
}

function retype(random: Random, file: GenFile, field: GenField): void {
  const roll = random.next();
  const names = typeNames(file);
  if (roll < 0.6) field.type = random.pick(SCALARS);
  else if (roll < 0.88 || field.oneof !== null || isExtension(field)) field.type = random.pick([...names, "string"]);
  else {
    field.type = `map<${random.pick(MAP_KEYS)}, ${random.pick([...SCALARS, ...names])}>`;
    field.label = "";
  }
  if (file.syntax === "proto2" && field.label === "" && !isMap(field) && field.oneof === null) field.label = "optional";
  field.options = keepOptions(field);
}

function isExtension({ name }: GenField): boolean {
  return name.startsWith("extra_");
}

/** The types that a field anywhere in the file can use. */
function typeNames(file: GenFile): string[] {
  return [
    ...file.enums.map(({ name }) => name),
    ...file.messages.flatMap((message) => [
      message.name,
      ...message.messages.map(({ name }) => `${message.name}.${name}`),
      ...message.enums.map(({ name }) => `${message.name}.${name}`),
    ]),
  ];
}

/** After changes, references to removed types are replaced. */
function repair(random: Random, file: GenFile): void {
  const names = new Set([...SCALARS, ...typeNames(file), ...Object.keys(WELL_KNOWN)]);
  const messages = file.messages.map(({ name }) => name);
  for (const field of [...allMessages(file).flatMap(({ fields }) => fields), ...file.extends.map((one) => one.field)]) {
    const name = /^map<.*, (.*)>$/.exec(field.type)?.[1] ?? field.type;
    if (names.has(name)) continue;
    field.type = field.type.replace(name, random.pick([...messages, "string"]));
    delete field.options.default;
  }
  file.extends = file.extends.filter(({ extendee }) => messages.includes(extendee));
  if (messages.length === 0) file.services = [];
  for (const rpc of file.services.flatMap(({ rpcs }) => rpcs)) {
    for (const side of ["input", "output"] as const) {
      const name = rpc[side].replace("stream ", "");
      if (!messages.includes(name)) rpc[side] = rpc[side].replace(name, random.pick(messages));
    }
  }
}

/** Options that the new type does not allow are dropped. */
function keepOptions(field: GenField): Record<string, string> {
  return field.options.json_name === undefined ? {} : { json_name: field.options.json_name };
}

function isMap(field: GenField): boolean {
  return field.type.startsWith("map<");
}

function relabel(random: Random, file: GenFile, field: GenField): void {
  if (isMap(field) || field.oneof !== null) return;
  delete field.options.default;
  delete field.options.packed;
  delete field.options["features.field_presence"];
  if (file.syntax === "proto2") field.label = random.pick(["optional", "optional", "repeated", "required"]);
  else if (file.syntax === "proto3") field.label = random.pick(["", "", "optional", "repeated"]);
  else {
    field.label = random.pick(["", "", "repeated"]);
    if (field.label === "" && !isExtension(field) && random.chance(0.4)) {
      const isMessage = !SCALARS.includes(field.type) && !/Color|Shape/.test(field.type);
      field.options["features.field_presence"] = isMessage
        ? "LEGACY_REQUIRED"
        : random.pick(["IMPLICIT", "LEGACY_REQUIRED"]);
    }
  }
  if (field.label === "required" && isExtension(field)) field.label = "optional";
}

function moveIntoOneof(random: Random, field: GenField): void {
  if (isMap(field)) return;
  field.oneof = random.pick(["choice", "other"]);
  field.label = "";
  field.options = keepOptions(field);
}

function redefault(random: Random, file: GenFile, message: GenMessage, field: GenField): void {
  const isSingular = field.oneof === null && !isMap(field) && field.label !== "repeated";
  if (file.syntax === "proto3" || !isSingular || field.options["features.field_presence"] === "IMPLICIT") return;
  if (field.type === "string" || field.type === "bytes") field.options.default = random.pick(['""', '"x"', '"yz"']);
  else if (field.type === "bool") field.options.default = random.pick(["true", "false"]);
  else if (field.type === "float" || field.type === "double")
    field.options.default = random.pick(["0", "1.5", "-2", "inf", "nan"]);
  else if (SCALARS.includes(field.type)) field.options.default = random.pick(["0", "1", "3"]);
  else {
    const found = [...message.enums, ...file.enums].find(({ name }) => name === field.type);
    if (found !== undefined) field.options.default = random.pick(found.values).name;
  }
}

function allMessages(file: GenFile): GenMessage[] {
  return file.messages.flatMap((message) => [message, ...message.messages]);
}

function allEnums(file: GenFile): GenEnum[] {
  return [...file.enums, ...file.messages.flatMap(({ enums }) => enums)];
}

type Change = (random: Random, file: GenFile) => void;

function onField(change: (random: Random, file: GenFile, message: GenMessage, field: GenField) => void): Change {
  return (random, file) => {
    const message = random.pick(allMessages(file));
    if (message !== undefined && message.fields.length > 0) change(random, file, message, random.pick(message.fields));
  };
}

function onEnum(change: (random: Random, target: GenEnum, file: GenFile) => void): Change {
  return (random, file) => {
    const enums = allEnums(file);
    if (enums.length > 0) change(random, random.pick(enums), file);
  };
}

function setOption(options: Record<string, string>, name: string, value: string): void {
  if (options[name] === value) delete options[name];
  else options[name] = value;
}

/** Every kind of change, with its name for messages of failing tests. */
export const CHANGES: Record<string, Change> = {
  retypeField: onField((random, file, _, field) => retype(random, file, field)),
  widenField: onField((random, _, __, field) => {
    const families = [
      ["int32", "int64", "uint32", "uint64", "bool", "Color"],
      ["sint32", "sint64"],
      ["string", "bytes"],
    ];
    const family = families.find((names) => names.includes(field.type));
    if (family === undefined || Object.keys(field.options).length > 0) return;
    field.type = random.pick(family);
  }),
  relabelField: onField((random, file, _, field) => relabel(random, file, field)),
  renameField: onField((random, _, message, field) => {
    field.name = freeName(random, message);
  }),
  renameButNotInJson: onField((random, _, message, field) => {
    if (field.options.json_name === undefined) field.options.json_name = `"${jsonNameOf(field.name)}"`;
    field.name = freeName(random, message);
  }),
  reuseReserved: onField((_, __, message, field) => {
    if (!message.reserved.includes("50 to 60")) return;
    message.reserved = message.reserved.filter((entry) => entry !== "50 to 60" && entry !== '"old"');
    if (message.fields.some(({ name, number }) => name === "old" || number === 55)) return;
    field.name = "old";
    field.number = 55;
  }),
  wellKnownField: onField((random, _, __, field) => {
    if (isMap(field) || isExtension(field) || Object.keys(field.options).length > 0) return;
    field.type = `google.protobuf.${random.pick(["Timestamp", "Duration", "StringValue", "Any"])}`;
  }),
  exchangePair: (random, file) => {
    const pair = file.messages.find(({ name }) => name === "Pair");
    const field = allMessages(file)
      .flatMap(({ fields }) => fields)
      .find(({ name }) => name === "pair");
    if (field === undefined) return;
    field.options = {};
    if (isMap(field)) {
      field.type = "Pair";
      field.label = random.chance(0.6) ? "repeated" : file.syntax === "proto2" ? "optional" : "";
    } else if (field.type === "Pair" && pair !== undefined && field.oneof === null) {
      const [key = "string", value = "string"] = pair.fields.map(({ type }) => type);
      field.type = `map<${MAP_KEYS.includes(key) ? key : "string"}, ${isMap({ ...field, type: value }) ? "string" : value}>`;
      field.label = "";
    }
  },
  renumberField: onField((random, _, message, field) => {
    field.number = freeNumber(random, message);
  }),
  swapNames: onField((random, _, message, field) => {
    const other = random.pick(message.fields);
    [field.name, other.name] = [other.name, field.name];
  }),
  removeField: onField((random, _, message, field) => {
    message.fields = message.fields.filter((one) => one !== field);
    if (random.chance(0.4)) message.reserved.push(`${field.number}`);
    if (random.chance(0.4)) message.reserved.push(`"${field.name}"`);
  }),
  addField: onField((random, file, message) => addField(random, file, message)),
  intoOneof: onField((random, _, __, field) => moveIntoOneof(random, field)),
  outOfOneof: onField((_, file, __, field) => {
    if (field.oneof === null) return;
    field.oneof = null;
    field.label = file.syntax === "proto2" ? "optional" : "";
  }),
  changeDefault: onField((random, file, message, field) => redefault(random, file, message, field)),
  changeJsonName: onField((_, __, ___, field) => setOption(field.options, "json_name", `"other${field.number}"`)),
  changePacking: onField((_, file, __, field) => {
    const isPackable = field.label === "repeated" && SCALARS.includes(field.type) && !/string|bytes/.test(field.type);
    if (!isPackable) return;
    if (file.syntax === "2023") setOption(field.options, "features.repeated_field_encoding", "EXPANDED");
    else setOption(field.options, "packed", file.syntax === "proto2" ? "true" : "false");
  }),
  changeStringOptions: onField((_, file, __, field) => {
    if (field.type !== "string") return;
    if (file.syntax === "2023") setOption(field.options, "features.utf8_validation", "NONE");
    else setOption(field.options, "ctype", "CORD");
  }),
  changeEncoding: onField((_, file, __, field) => {
    if (file.syntax !== "2023" || !/^(Order|Item|Node)$/.test(field.type)) return;
    setOption(field.options, "features.message_encoding", "DELIMITED");
  }),
  changeJstype: onField((_, __, ___, field) => {
    if (/^(int64|uint64|sint64|fixed64|sfixed64)$/.test(field.type)) setOption(field.options, "jstype", "JS_STRING");
  }),
  addEnumValue: onEnum((_, target) => {
    const number = Math.max(...target.values.map((value) => value.number)) + 1;
    target.values.push({ name: `${target.values[0]!.name}_${number}`, number });
  }),
  removeEnumValue: onEnum((random, target, file) => {
    if (target.values.length < 2) return;
    const at = 1 + random.below(target.values.length - 1);
    const [gone] = target.values.splice(at, 1);
    if (random.chance(0.4)) target.reserved.push(`${gone!.number}`);
    if (random.chance(0.4)) target.reserved.push(`"${gone!.name}"`);
    dropDefault(file, gone!.name);
  }),
  renameEnumValue: onEnum((random, target, file) => {
    const value = random.pick(target.values);
    dropDefault(file, value.name);
    value.name = `${value.name}_NEW`;
  }),
  swapEnumValues: onEnum((random, target) => {
    const [a, b] = [random.pick(target.values), random.pick(target.values)];
    [a.name, b.name] = [b.name, a.name];
  }),
  addEnumAlias: onEnum((random, target) => {
    const value = random.pick(target.values);
    target.values.push({ name: `${value.name}_ALIAS`, number: value.number });
  }),
  reorderEnum: onEnum((_, target, file) => {
    if (file.syntax === "proto2") target.values.reverse();
  }),
  closeEnum: onEnum((_, target, file) => {
    if (file.syntax === "2023") target.closed = !target.closed;
  }),
  removeEnumReserved: onEnum((random, target) => {
    target.reserved.splice(random.below(3), 1);
  }),
  removeReserved: onField((random, _, message) => {
    message.reserved.splice(random.below(4), 1);
  }),
  shrinkReserved: onField((_, __, message) => {
    message.reserved = message.reserved.map((entry) => (entry === "50 to 60" ? "50 to 52, 54 to 60" : entry));
  }),
  renameMessage: (random, file) => {
    const message = random.pick(allMessages(file));
    if (message !== undefined && message.name !== "Inner") message.name = `${message.name}Renamed`;
  },
  removeMessage: (random, file) => {
    file.messages.splice(random.below(file.messages.length), 1);
  },
  reorderMessages: (_, file) => {
    file.messages.reverse();
  },
  removeEnum: (random, file) => {
    file.enums.splice(random.below(2), 1);
  },
  addNestedMessage: (random, file) => {
    const message = random.pick(file.messages);
    if (message === undefined || message.messages.some(({ name }) => name === "Added")) return;
    message.messages.push(emptyMessage("Added"));
  },
  changePackage: (random, file) => {
    if (random.chance(0.3)) file.package = `${file.package}x`;
  },
  changeSyntax: (random, file) => {
    if (random.chance(0.5)) rewriteAs(random.pick<Syntax>(["proto2", "proto3", "2023"]), file);
  },
  changeJsonFormat: (_, file) => {
    if (file.syntax === "2023") setOption(file.options, "features.json_format", "LEGACY_BEST_EFFORT");
  },
  changeAccessor: (random, file) => {
    const message = random.pick(allMessages(file));
    if (message !== undefined) setOption(message.options, "no_standard_descriptor_accessor", "true");
  },
  changeFileOption: (random, file) => {
    const name = random.pick(["java_package", "go_package", "csharp_namespace", "ruby_package", "php_class_prefix"]);
    setOption(file.options, name, '"x"');
    if (random.chance(0.3)) setOption(file.options, "java_multiple_files", "true");
    if (random.chance(0.3)) setOption(file.options, "optimize_for", "CODE_SIZE");
  },
  changeRpc: (random, file) => {
    const rpc = file.services[0]?.rpcs[0];
    if (rpc === undefined) return;
    rpc.input = streamed(random, random.pick(["Order", "Item"]));
    rpc.output = streamed(random, random.pick(["Node", "Item"]));
    if (random.chance(0.3)) setOption(rpc.options, "idempotency_level", "IDEMPOTENT");
  },
  removeRpc: (_, file) => {
    file.services[0]?.rpcs.pop();
  },
  removeService: (_, file) => {
    file.services.pop();
  },
  changeExtension: (random, file) => {
    const extension = file.extends[0];
    if (extension !== undefined) extension.field.type = random.pick(SCALARS);
  },
  addExtension: (random, file) => {
    const message = random.pick(file.messages);
    if (message === undefined || file.syntax === "proto3") return;
    if (message.extensions.length === 0) message.extensions.push("100 to 199");
    const name = `extra_more_${message.name.toLowerCase()}`;
    if (file.extends.some(({ field }) => field.name === name)) return;
    const field = { ...emptyField(name, 110), type: random.pick(SCALARS) };
    file.extends.push({
      extendee: message.name,
      field: { ...field, label: file.syntax === "proto2" ? "optional" : "" },
    });
  },
  removeExtension: (_, file) => {
    file.extends.pop();
  },
  removeExtensionRange: (random, file) => {
    const message = random.pick(file.messages);
    if (message === undefined || message.extensions.length === 0) return;
    message.extensions = ["100 to 120"];
  },
};
export const CHANGE_NAMES = Object.keys(CHANGES);

/** The same file in another syntax, with the labels and options allowed there. */
function rewriteAs(syntax: Syntax, file: GenFile): void {
  file.syntax = syntax;
  delete file.options["features.json_format"];
  for (const target of allEnums(file)) target.closed = false;
  const extended = file.extends.map(({ field }) => field);
  if (syntax === "proto3") {
    file.extends = [];
    for (const message of file.messages) message.extensions = [];
    for (const target of allEnums(file)) target.values.sort((a, b) => Number(b.number === 0) - Number(a.number === 0));
  }
  for (const field of [...allMessages(file).flatMap(({ fields }) => fields), ...extended]) {
    const wasRequired = field.label === "required" || field.options["features.field_presence"] === "LEGACY_REQUIRED";
    field.options = keepOptions(field);
    if (field.label === "repeated" || isMap(field) || field.oneof !== null) continue;
    if (syntax === "proto2") field.label = wasRequired ? "required" : "optional";
    else if (syntax === "2023" || field.label === "required") field.label = "";
    if (syntax === "2023" && wasRequired) field.options["features.field_presence"] = "LEGACY_REQUIRED";
  }
}

function jsonNameOf(name: string): string {
  return name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function dropDefault(file: GenFile, valueName: string): void {
  for (const { fields } of allMessages(file)) {
    for (const field of fields) if (field.options.default === valueName) delete field.options.default;
  }
}

/** A deep copy with some of the changes, by their index in `CHANGE_NAMES`. */
export function changeFile(random: Random, file: GenFile, changes: readonly number[]): GenFile {
  const copy = structuredClone(file);
  for (const change of changes) CHANGES[CHANGE_NAMES[change % CHANGE_NAMES.length]!]!(random, copy);
  repair(random, copy);
  return copy;
}

/** The file as text. */
export function renderFile(file: GenFile): string {
  const lines = [
    file.syntax.startsWith("proto") ? `syntax = "${file.syntax}";` : `edition = "${file.syntax}";`,
    `package ${file.package};`,
    ...importsOf(file).map((path) => `import "${path}";`),
    ...Object.entries(file.options).map(([name, value]) => `option ${name} = ${value};`),
    ...file.enums.flatMap((target) => renderEnum(target, file.syntax)),
    ...file.messages.flatMap((message) => renderMessage(message, file.syntax)),
    ...file.extends.flatMap(({ extendee, field }) => [`extend ${extendee} {`, renderField(field), "}"]),
    ...file.services.flatMap(({ name, rpcs }) => [`service ${name} {`, ...rpcs.map(renderRpc), "}"]),
  ];
  return `${lines.join("\n")}\n`;
}

function importsOf(file: GenFile): string[] {
  const types = allMessages(file).flatMap(({ fields }) => fields.map(({ type }) => WELL_KNOWN[type]));
  return [...new Set(types.filter((path) => path !== undefined))];
}

function renderRpc({ name, input, output, options }: GenRpc): string {
  const body = Object.entries(options).map(([option, value]) => `option ${option} = ${value};`);
  return `rpc ${name}(${input}) returns (${output}) { ${body.join(" ")} }`;
}

function renderEnum({ name, values, reserved, closed }: GenEnum, syntax: Syntax): string[] {
  const hasAliases = new Set(values.map(({ number }) => number)).size < values.length;
  return [
    `enum ${name} {`,
    ...(hasAliases ? ["option allow_alias = true;"] : []),
    ...(closed ? ["option features.enum_type = CLOSED;"] : []),
    ...values.map((value) => `${value.name} = ${value.number};`),
    ...renderReserved(reserved, syntax),
    "}",
  ];
}

/** Editions reserve names as identifiers, the older syntaxes as strings. */
function renderReserved(reserved: readonly string[], syntax: Syntax): string[] {
  return reserved.map((entry) => `reserved ${syntax === "2023" ? entry.replaceAll('"', "") : entry};`);
}

function renderMessage(message: GenMessage, syntax: Syntax): string[] {
  const oneofs = [...new Set(message.fields.flatMap(({ oneof }) => (oneof === null ? [] : [oneof])))];
  return [
    `message ${message.name} {`,
    ...Object.entries(message.options).map(([name, value]) => `option ${name} = ${value};`),
    ...message.enums.flatMap((target) => renderEnum(target, syntax)),
    ...message.messages.flatMap((nested) => renderMessage(nested, syntax)),
    ...message.fields.filter(({ oneof }) => oneof === null).map(renderField),
    ...oneofs.flatMap((name) => [
      `oneof ${name} {`,
      ...message.fields.filter(({ oneof }) => oneof === name).map(renderField),
      "}",
    ]),
    ...renderReserved(message.reserved, syntax),
    ...message.extensions.map((range) => `extensions ${range};`),
    "}",
  ];
}

function renderField({ label, type, name, number, options }: GenField): string {
  const listed = Object.entries(options).map(([option, value]) => `${option} = ${value}`);
  return `${label} ${type} ${name} = ${number}${listed.length > 0 ? ` [${listed.join(", ")}]` : ""};`;
}

/** Two texts, the second made from the first by the changes. */
export function generatePair(
  seed: number,
  changes: readonly number[],
  packageName: string,
): { writer: string; reader: string } {
  const random = new Random(seed);
  const writer = generateFile(random, packageName);
  return { writer: renderFile(writer), reader: renderFile(changeFile(random, writer, changes)) };
}
