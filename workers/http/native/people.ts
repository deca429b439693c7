/** `/people`: who is behind the pseudonyms of the log, a person's own copy of the data, and its erasure. */
import type { Refusal } from "../../../contract/errors.ts";
import { errorFields, logLine } from "../../../observe/log-line.ts";
import type { Result } from "../../../schema/result.ts";
import { askDirectory, erasePerson } from "../../access/administration.ts";
import { personJson, personLines } from "../../registry/audit/person.ts";
import { type Answer, jsonAnswer } from "../answer.ts";
import { refusing, requireOk } from "../errors.ts";
import { pageJson, parseListPage, toAdministrator } from "./access-fields.ts";
import type { NativeRequest } from "./request.ts";
import type { Shape } from "./shapes.ts";

export async function listPeople(request: NativeRequest): Promise<Answer> {
  const page = parseListPage(request);
  const people = requireOk(await askDirectory(request.edge, "people", { tenant: request.edge.tenant, ...page }));
  return jsonAnswer<Shape<"PersonPage">>(200, {
    items: people.map(personJson),
    ...pageJson(people, page.limit, ({ pseudonym }) => pseudonym),
  });
}

export async function getPerson(request: NativeRequest): Promise<Answer> {
  return jsonAnswer<Shape<"Person">>(200, personJson(await personOf(request)));
}

/** The first lines are read before the response begins, so that refusals have a status. */
export async function exportPerson(request: NativeRequest): Promise<Answer> {
  const { edge, caller } = request;
  const lines = personLines(edge, await personOf(request));
  const first = printLines(requireOk((await lines.next()).value as Result<readonly object[], Refusal>));
  return {
    status: 200,
    headers: { "Content-Type": "application/x-ndjson", "Content-Disposition": 'attachment; filename="person.ndjson"' },
    body: streamOf(first, lines, caller.requestId),
  };
}

export async function deletePerson(request: NativeRequest): Promise<Answer> {
  const { person } = requireOk(await erasePerson(toAdministrator(request), request.path.actor!));
  return jsonAnswer<Shape<"Person">>(200, personJson(person));
}

async function personOf({ edge, path }: NativeRequest) {
  const actor = path.actor!;
  const person = requireOk(await askDirectory(edge, "person", { tenant: edge.tenant, pseudonym: actor }));
  if (person === null)
    throw refusing("PERSON_NOT_FOUND", `No person with the pseudonym "${actor}" has signed in to this tenant.`);
  return person;
}

function printLines(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** A stream that fails midway is aborted, so that it is not mistaken for a complete one. */
function streamOf(
  first: string,
  lines: AsyncGenerator<Result<readonly object[], Refusal>>,
  requestId: string,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(first));
    },
    async pull(controller) {
      try {
        const { done, value } = await lines.next();
        if (done) controller.close();
        else controller.enqueue(encoder.encode(printLines(requireOk(value))));
      } catch (error) {
        logLine("error", "The export of a person's data failed.", { request_id: requestId, ...errorFields(error) });
        controller.error(error);
      }
    },
    async cancel() {
      await lines.return(undefined);
    },
  });
}
