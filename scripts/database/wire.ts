// The part of Postgres' wire protocol that the proxy handles itself. Message formats:
// https://www.postgresql.org/docs/15/protocol-message-formats.html

export const PROTOCOL_3 = 196_608;
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;

/** Larger than any message of a registry; beyond it the stream is corrupt. */
export const MAX_BACKEND_MESSAGE_BYTES = 64 * 1024 * 1024;

/** The transaction status in ReadyForQuery: idle, in a transaction, in a failed one. */
export type TransactionStatus = "I" | "T" | "E";

export type BackendMessage = { type: string; bytes: Buffer };

/** Splits a byte stream into messages; the first one of a connection has no type. */
export class MessageReader {
  #pending: Buffer = Buffer.alloc(0);

  push(bytes: Uint8Array): void {
    this.#pending = this.#pending.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#pending, bytes]);
  }

  /** Complete messages with type and length; throws on invalid ones. */
  *messages(): Generator<BackendMessage> {
    while (this.#pending.length >= 5) {
      const length = this.#pending.readUInt32BE(1);
      if (length < 4 || length > MAX_BACKEND_MESSAGE_BYTES) throw new Error(`A message cannot have ${length} bytes.`);
      if (this.#pending.length < 1 + length) return;
      const bytes = this.#pending.subarray(0, 1 + length);
      this.#pending = this.#pending.subarray(1 + length);
      yield { type: String.fromCharCode(bytes[0]!), bytes };
    }
  }

  /** Takes the bytes of an incomplete message. */
  takeRest(): Buffer {
    const rest = this.#pending;
    this.#pending = Buffer.alloc(0);
    return rest;
  }

  /** The startup message, once complete. */
  startup():
    | { type: "encryption" }
    | { type: "startup"; version: number; parameters: Map<string, string> }
    | undefined {
    if (this.#pending.length < 8) return undefined;
    const length = this.#pending.readUInt32BE(0);
    if (length < 8 || length > 10_000) throw new Error(`A start-up message cannot have ${length} bytes.`);
    if (this.#pending.length < length) return undefined;
    const version = this.#pending.readUInt32BE(4);
    const words = this.#pending.toString("utf8", 8, length).split("\0");
    this.#pending = this.#pending.subarray(length);
    if (version === SSL_REQUEST || version === GSS_REQUEST) return { type: "encryption" };
    const parameters = new Map<string, string>();
    for (let at = 0; at + 1 < words.length && words[at] !== ""; at += 2) parameters.set(words[at]!, words[at + 1]!);
    return { type: "startup", version, parameters };
  }
}

// ---- What a server says

export const AUTHENTICATION_OK = message("R", int32(0));
export const AUTHENTICATION_CLEARTEXT = message("R", int32(3));

export function readyForQuery(status: TransactionStatus): Buffer {
  return message("Z", Buffer.from(status));
}

export function parameterStatus(name: string, value: string): Buffer {
  return message("S", text(name), text(value));
}

/** Process id and secret of a session that cannot be cancelled. */
export function backendKeyData(): Buffer {
  return message("K", int32(0), int32(0));
}

export function errorResponse(severity: "ERROR" | "FATAL", code: string, detail: string): Buffer {
  return message(
    "E",
    text(`S${severity}`),
    text(`V${severity}`),
    text(`C${code}`),
    text(`M${detail}`),
    Buffer.from([0]),
  );
}

/** The last ReadyForQuery status among answers; undefined without one. */
export function lastStatus(answers: Uint8Array): TransactionStatus | undefined {
  const reader = new MessageReader();
  reader.push(answers);
  let status: TransactionStatus | undefined;
  for (const { type, bytes } of reader.messages()) {
    if (type === "Z") status = String.fromCharCode(bytes[5]!) as TransactionStatus;
  }
  return status;
}

export function readPassword({ bytes }: BackendMessage): string {
  return bytes.toString("utf8", 5, bytes.length - 1);
}

// ---- Client messages

export const SYNC = message("S");
export const TERMINATE = message("X");

export function simpleQuery(sql: string): Buffer {
  return message("Q", text(sql));
}

/** An unnamed statement in the extended protocol, all values as text. */
export function statement(sql: string, values: readonly (string | null)[]): Buffer {
  const bound = values.map((value) => {
    if (value === null) return int32(-1);
    const bytes = Buffer.from(value, "utf8");
    return Buffer.concat([int32(bytes.length), bytes]);
  });
  return Buffer.concat([
    message("P", text(""), text(sql), int16(0)),
    message("B", text(""), text(""), int16(0), int16(values.length), ...bound, int16(0)),
    message("D", Buffer.from("P"), text("")),
    message("E", text(""), int32(0)),
  ]);
}

// ---- Results

type Field = {
  name: string;
  tableID: number;
  columnID: number;
  dataTypeID: number;
  dataTypeSize: number;
  dataTypeModifier: number;
  format: "text";
};
export type StatementResult = { command: string; rowCount: number | null; fields: Field[]; rows: (string | null)[][] };

/** The fields of an ErrorResponse, named as Postgres clients name them. */
export type ServerError = { message: string } & Partial<
  Record<(typeof ERROR_FIELDS)[keyof typeof ERROR_FIELDS], string>
>;

const ERROR_FIELDS = {
  S: "severity",
  C: "code",
  D: "detail",
  H: "hint",
  P: "position",
  p: "internalPosition",
  q: "internalQuery",
  W: "where",
  s: "schema",
  t: "table",
  c: "column",
  d: "dataType",
  n: "constraint",
  F: "file",
  L: "line",
  R: "routine",
} as const;

export function readRowFields(bytes: Buffer): Field[] {
  let at = 7;
  return Array.from({ length: bytes.readUInt16BE(5) }, () => {
    const end = bytes.indexOf(0, at);
    const name = bytes.toString("utf8", at, end);
    const field: Field = {
      name,
      tableID: bytes.readUInt32BE(end + 1),
      columnID: bytes.readUInt16BE(end + 5),
      dataTypeID: bytes.readUInt32BE(end + 7),
      dataTypeSize: bytes.readInt16BE(end + 11),
      dataTypeModifier: bytes.readInt32BE(end + 13),
      format: "text",
    };
    at = end + 19;
    return field;
  });
}

export function readRow(bytes: Buffer): (string | null)[] {
  let at = 7;
  return Array.from({ length: bytes.readUInt16BE(5) }, () => {
    const length = bytes.readInt32BE(at);
    at += 4;
    if (length === -1) return null;
    at += length;
    return bytes.toString("utf8", at - length, at);
  });
}

/** `INSERT 0 5` is the command INSERT with 5 rows. */
export function readCommand(bytes: Buffer): { command: string; rowCount: number | null } {
  const words = bytes.toString("utf8", 5, bytes.length - 1).split(" ");
  const last = words.at(-1)!;
  return { command: words[0]!, rowCount: /^\d+$/.test(last) ? Number(last) : null };
}

export function readError(bytes: Buffer): ServerError {
  const error: ServerError = { message: "" };
  for (const field of bytes.toString("utf8", 5).split("\0")) {
    const name = ERROR_FIELDS[field[0] as keyof typeof ERROR_FIELDS];
    if (field[0] === "M") error.message = field.slice(1);
    else if (name !== undefined) error[name] = field.slice(1);
  }
  return error;
}

function message(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, "utf8");
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
