/** Determines which open choices of a state are relevant to a check; the others are not split. */
import type { Choice } from "./flatten.ts";
import { inPlace, TYPE, unaliased, type View } from "./view.ts";

/** The subject of a check: a property by its name, or one kind of keyword. */
export type Aspect = { readonly property: string } | "type" | "number" | "string" | "array" | "object" | "all";

/** Schemas examined before a choice counts as relevant to everything. */
const MAX_CONCERNED_VIEWS = 200;

const known = new WeakMap<Choice, Map<string, boolean>>();

/** Whether deciding a choice may help, judged by a bounded search. */
export function mayConcern(choice: Choice, aspect: Aspect): boolean {
  if (aspect === "all") return true;
  const key = typeof aspect === "string" ? aspect : `.${aspect.property}`;
  const answers = known.get(choice) ?? new Map<string, boolean>();
  let answer = answers.get(key);
  if (answer === undefined) {
    answer = reachesAspect(choice, aspect);
    if (answers.size < MAX_REMEMBERED) known.set(choice, answers.set(key, answer));
  }
  return answer;
}

/** Results cached per choice. */
const MAX_REMEMBERED = 50;

function reachesAspect({ options }: Choice, aspect: Aspect): boolean {
  const visited = new Set<View>();
  const stack = options.flatMap(({ views, nots }) => [...views, ...nots]);
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const view = unaliased(next);
    if (visited.has(view)) continue;
    visited.add(view);
    if (visited.size > MAX_CONCERNED_VIEWS || concernsAll(view) || concerns(view, aspect)) return true;
    for (const child of inPlace(view)) stack.push(child());
  }
  return false;
}

function concernsAll(view: View): boolean {
  return (
    view.constant === false ||
    view.types !== undefined ||
    view.enumeration !== undefined ||
    view.constantValue !== undefined ||
    view.not !== undefined
  );
}

function concerns(view: View, aspect: Aspect): boolean {
  if (typeof aspect === "object") return concernsProperty(view, aspect.property);
  switch (aspect) {
    case "number":
      return view.minimum !== undefined || view.maximum !== undefined || view.multipleOf !== undefined;
    case "string":
      return (
        view.minLength > 0 || view.maxLength !== undefined || view.pattern !== undefined || view.format !== undefined
      );
    case "array":
      return concernsItems(view);
    case "object":
      return (
        view.properties.size + view.required.length + view.dependentRequired.size > 0 ||
        view.minProperties > 0 ||
        concernsUnnamed(view)
      );
    default:
      return false;
  }
}

function concernsProperty(view: View, name: string): boolean {
  return (
    view.properties.has(name) ||
    view.required.includes(name) ||
    view.dependentRequired.size > 0 ||
    concernsUnnamed(view)
  );
}

function concernsUnnamed(view: View): boolean {
  return (
    view.patternProperties.size > 0 ||
    view.additionalProperties !== undefined ||
    view.unevaluatedProperties !== undefined ||
    view.propertyNames !== undefined ||
    view.maxProperties !== undefined
  );
}

function concernsItems(view: View): boolean {
  return (
    view.items !== undefined ||
    view.prefixItems.length > 0 ||
    view.unevaluatedItems !== undefined ||
    view.contains !== undefined ||
    view.minItems > 0 ||
    view.maxItems !== undefined ||
    view.uniqueItems
  );
}

/** The types of values that are split into separate cases. */
export const TYPE_GROUPS: readonly number[] = [
  TYPE.null,
  TYPE.boolean,
  TYPE.integer | TYPE.fraction,
  TYPE.string,
  TYPE.array,
  TYPE.object,
];
