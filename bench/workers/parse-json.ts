/** Parses the JSON it is sent and answers with a constant: what any validation costs at least. */
export default {
  async fetch(request: Request): Promise<Response> {
    const body = JSON.parse(await request.text()) as { data?: unknown };
    return Response.json({ valid: body.data !== undefined });
  },
};
