/** Services: the writer's side calls, the reader's side serves. */
import { findType, joinName, type Method, type Service } from "../../model.ts";
import { textOption } from "../features.ts";
import type { LinkedModel } from "../linked.ts";
import type { SemanticComparison } from "./comparison.ts";

export function compareSemanticServices(comparison: SemanticComparison): void {
  const after = new Map(comparison.reader.file.services.map((service) => [service.name, service]));
  const before = new Map(comparison.writer.file.services.map((service) => [service.name, service]));
  for (const [name, service] of before) {
    const place = `#/${name}`;
    comparison.work.spend(1, () => place);
    const match = after.get(name);
    if (match !== undefined) compareMethods(comparison, service, match, place);
    else comparison.add("SERVICE_REMOVED", null, place, `The reader has no service "${name}".`);
  }
  for (const name of after.keys()) {
    if (!before.has(name)) comparison.add("SERVICE_ADDED", `#/${name}`, null, `The service "${name}" is new.`);
  }
}

function compareMethods(comparison: SemanticComparison, writer: Service, reader: Service, place: string): void {
  const after = new Map(reader.methods.map((method) => [method.name, method]));
  const before = new Map(writer.methods.map((method) => [method.name, method]));
  for (const [name, method] of before) {
    const pointer = `${place}/${name}`;
    comparison.work.spend(1, () => pointer);
    const match = after.get(name);
    if (match !== undefined) compareMethod(comparison, writer, method, match, pointer);
    else
      comparison.add("RPC_REMOVED", null, pointer, `The service "${writer.name}" of the reader has no rpc "${name}".`);
  }
  for (const name of after.keys()) {
    if (!before.has(name)) comparison.add("RPC_ADDED", `${place}/${name}`, null, `The rpc "${name}" is new.`);
  }
}

function compareMethod(
  comparison: SemanticComparison,
  service: Service,
  before: Method,
  after: Method,
  place: string,
): void {
  if (before.input.stream !== after.input.stream || before.output.stream !== after.output.stream) {
    comparison.add("RPC_STREAMING_CHANGED", place, place, `The rpc "${before.name}" changed what it streams.`);
  }
  for (const side of ["input", "output"] as const) {
    const was = messageNameOf(comparison.writer, service, before[side].name);
    const is = messageNameOf(comparison.reader, service, after[side].name);
    const [writerType, readerType] = [findType(comparison.writer.model, was), findType(comparison.reader.model, is)];
    const isSame =
      writerType !== undefined && readerType !== undefined ? comparison.isSameName(writerType, readerType) : was === is;
    if (!isSame) {
      const kind = side === "input" ? "RPC_REQUEST_TYPE_CHANGED" : "RPC_RESPONSE_TYPE_CHANGED";
      comparison.add(kind, place, place, `The rpc "${before.name}" changed its ${side} from "${was}" to "${is}".`);
    }
    // Two different types are not compared further.
    if (isSame && writerType !== undefined && readerType !== undefined) comparison.pairTypes(writerType, readerType);
  }
  const [was, is] = [before, after].map(
    ({ options }) => textOption(options, "idempotency_level") ?? "IDEMPOTENCY_UNKNOWN",
  );
  if (was !== is) {
    const what = `The idempotency level of the rpc "${before.name}" changed from ${was} to ${is}.`;
    comparison.add("RPC_IDEMPOTENCY_CHANGED", place, place, what);
  }
}

function messageNameOf(side: LinkedModel, service: Service, name: string): string {
  return side.typeNameIn({ file: side.file, fullName: joinName(side.file.package, service.name) }, name);
}
