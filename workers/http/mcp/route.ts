/** `POST /mcp`: the Model Context Protocol over Streamable HTTP, without sessions. */
import type { Answer } from "../answer.ts";
import type { Call, Route } from "../call.ts";
import { refusing } from "../errors.ts";

export const mcpRoute: Route = {
  method: "POST",
  path: "/mcp",
  permission: "authenticated",
  produces: ["application/json", "text/event-stream"],
  async answer(call: Call): Promise<Answer> {
    requireKnownOrigin(call);
    const { serveMcp } = await import("./serve.ts");
    return serveMcp(call);
  },
};

/**
 * A page of another site must not reach a registry that trusts its network, by a name that it points there
 * (https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning).
 */
function requireKnownOrigin({ request, edge }: Call): void {
  const origin = request.headers.get("Origin");
  if (origin === null || origin === new URL(request.url).origin) return;
  if (edge.settings.access.corsOrigins.has(origin)) return;
  throw refusing("FORBIDDEN", `Pages of ${origin} may not use /mcp: CORS_ORIGINS does not list it.`);
}
