/** Random .proto files, from a seed. */
import { addField, freeNumber } from "./generated-field.ts";
import {
  allMessages,
  emptyField,
  emptyMessage,
  type GenEnum,
  type GenFile,
  type GenRpc,
  MAP_KEYS,
  NAMES,
  type Random,
  SCALARS,
  type Syntax,
  WELL_KNOWN,
} from "./generated-model.ts";

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

export function streamed(random: Random, name: string): string {
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
