/** Parses the JSON of the request and returns a constant: the minimum cost of any validation. */
export default {
  async fetch(request: Request): Promise<Response> {
    const body = JSON.parse(await request.text()) as { data?: unknown };
    return Response.json({ valid: body.data !== undefined });
  },
};
