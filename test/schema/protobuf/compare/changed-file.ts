/** Random changes of a generated file: one table of the kinds, and what keeps the result a valid file. */
import {
  addField,
  freeName,
  freeNumber,
  moveIntoOneof,
  redefault,
  relabel,
  retype,
  typeNames,
} from "./generated-field.ts";
import { streamed } from "./generated-file.ts";
import {
  allEnums,
  allMessages,
  emptyField,
  emptyMessage,
  type GenEnum,
  type GenField,
  type GenFile,
  type GenMessage,
  isExtension,
  isMap,
  jsonNameOf,
  keepOptions,
  MAP_KEYS,
  type Random,
  SCALARS,
  type Syntax,
  setOption,
  WELL_KNOWN,
} from "./generated-model.ts";

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

/** Every kind of change, with its name for messages of failing tests. */
const CHANGES: Record<string, Change> = {
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
