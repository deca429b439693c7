// Imported by the files beside it: what the proxy needs of the Postgres behind it, in process or on a server.

/** Where the answers of one session go. */
export type SessionListener = {
  receive(bytes: Uint8Array): void;
  /** The session is over: by a fault, or because it took too long. A reason has been told to the client, if it could be. */
  ended(): void;
};

/** One client's session after authentication: messages of the wire protocol in, answers to the listener. */
export type Session = {
  send(bytes: Uint8Array): void;
  /** Ends the session; an open transaction is rolled back. */
  close(): void;
};

/** A Postgres. */
export type Backend = {
  /** What a server says of itself when a session opens, such as server_version. */
  parameters(): ReadonlyMap<string, string>;
  /** `applicationName` is what the client calls itself, for a server that shows it. */
  open(listener: SessionListener, applicationName?: string): Promise<Session>;
  close(): Promise<void>;
};
