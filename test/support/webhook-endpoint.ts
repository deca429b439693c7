import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export type Arrived = { path: string; headers: Record<string, string>; body: string };

/** An endpoint's reaction to a request it has read. */
export type Behaviour = (response: ServerResponse, request: IncomingMessage, arrived: Arrived) => void;

/** Good and bad responses of real servers. */
export const BEHAVIOURS = {
  takes: (response) => response.writeHead(204).end(),
  fails: (response) => response.writeHead(500).end("no"),
  hangs: () => undefined,
  answersGarbage: (response) =>
    response.writeHead(200, { "Content-Type": "application/json" }).end("\u0000{{{not json"),
  closesMidBody: (response) => {
    response.writeHead(200, { "Content-Length": "1000" });
    response.write("half", () => response.destroy());
  },
  closesAtOnce: (_response, request) => request.socket.destroy(),
  /** Headers, then an endless slow body. */
  drips: (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write("."), 100);
    response.on("close", () => clearInterval(timer));
  },
  floods: (response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(Buffer.alloc(64 * 1024)), 1);
    response.on("close", () => clearInterval(timer));
  },
} satisfies Record<string, Behaviour>;

/** A real server that records requests. */
export class WebhookServer {
  readonly arrived: Arrived[] = [];
  readonly #server;

  behaviour: Behaviour;

  private constructor(behaviour: Behaviour) {
    this.behaviour = behaviour;
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const arrived: Arrived = {
          path: request.url ?? "",
          headers: request.headers as Record<string, string>,
          body: Buffer.concat(chunks).toString("utf8"),
        };
        this.arrived.push(arrived);
        this.behaviour(response, request, arrived);
      });
    });
  }

  static async listen(behaviour: Behaviour = BEHAVIOURS.takes): Promise<WebhookServer> {
    const opened = new WebhookServer(behaviour);
    opened.#server.listen(0, "127.0.0.1");
    await once(opened.#server, "listening");
    return opened;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ids of the received events, each once, in log order. */
  eventIds(): string[] {
    const ids = this.arrived.map(({ body }) => (JSON.parse(body) as { id: string }).id);
    return [...new Set(ids)].sort((one, other) => Number(one.split(".")[1]) - Number(other.split(".")[1]));
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
