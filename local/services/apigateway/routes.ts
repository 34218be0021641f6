import type { ApiResource } from "./model";

/** A resource that matches a path, with the values of its path parameters, decoded once. */
export interface Match {
  readonly resource: ApiResource;
  readonly path: Readonly<Record<string, string>>;
}

/** Finds the resource for the parts of a path (after the stage, still percent-encoded). */
export type Router = (parts: readonly string[]) => Match | undefined;

interface Node {
  readonly resource: ApiResource;
  readonly fixed: Map<string, Node>;
  /** `{name}` */
  variable?: Node;
  /** `{name+}` */
  greedy?: Node;
}

/**
 * A router over an API's resources. A fixed part has precedence over a variable one, and that over a greedy one; if a
 * choice leads to no resource, the next one is tried. A slash at the end of the path is ignored.
 */
export function routerOf(resources: readonly ApiResource[]): Router {
  const nodes = new Map(resources.map((resource) => [resource.id, { resource, fixed: new Map() } as Node]));
  let root: Node | undefined;
  for (const node of nodes.values()) {
    const { parentId, pathPart } = node.resource;
    const parent = parentId === undefined ? undefined : nodes.get(parentId);
    if (!parent) root = node;
    else if (/\+\}$/.test(pathPart)) parent.greedy = node;
    else if (pathPart.startsWith("{")) parent.variable = node;
    else parent.fixed.set(pathPart, node);
  }
  return (parts) => root && find(root, parts.at(-1) === "" ? parts.slice(0, -1) : parts, {});
}

function find(node: Node, parts: readonly string[], path: Match["path"]): Match | undefined {
  const [part, ...rest] = parts;
  if (part === undefined) return { resource: node.resource, path };
  if (part === "") return undefined;
  const value = decodeURIComponent(part);
  const fixed = node.fixed.get(value);
  const found = fixed && find(fixed, rest, path);
  if (found) return found;
  const variable = node.variable;
  const byVariable = variable && find(variable, rest, { ...path, [parameterOf(variable)]: value });
  if (byVariable) return byVariable;
  const greedy = node.greedy;
  if (!greedy) return undefined;
  return {
    resource: greedy.resource,
    path: { ...path, [parameterOf(greedy)]: parts.map(decodeURIComponent).join("/") },
  };
}

function parameterOf(node: Node): string {
  return node.resource.pathPart.replace(/^\{|\+?\}$/g, "");
}
