// What the proxy needs of the Postgres behind it, in process or on a server.

/** Receives the answers of one session. */
export type SessionListener = {
  receive(bytes: Uint8Array): void;
  /** The session ended, by a fault or a timeout. The client has received the reason if possible. */
  ended(): void;
};

/** An authenticated client's session: wire-protocol messages in, answers to the listener. */
export type Session = {
  send(bytes: Uint8Array): void;
  /** Ends the session and rolls back an open transaction. */
  close(): void;
};

/** A Postgres. */
export type Backend = {
  /** Server parameters reported when a session opens, such as server_version. */
  parameters(): ReadonlyMap<string, string>;
  /** `applicationName` is the client's, for servers that show it. */
  open(listener: SessionListener, applicationName?: string): Promise<Session>;
  close(): Promise<void>;
};
