import type { ExplainNode, Explanation, Group, Json, Leaf, Operator } from "@/api/types";

/** Where a node stands: the index in each group from the root down. The root is []. */
export type Place = readonly number[];
export type Node = Leaf | Group;

export function isGroup(node: Node): node is Group {
  return "rules" in node;
}

export function emptyLeaf(field = ""): Leaf {
  return { field, operator: "equals", value: "" };
}

export function emptyGroup(combinator: Group["combinator"] = "and"): Group {
  return { combinator, rules: [] };
}

/** A condition as a group, whatever was stored: nothing, one leaf, or a group. */
export function asGroup(condition: Node | null | undefined): Group {
  if (!condition) return emptyGroup();
  return isGroup(condition) ? condition : { combinator: "and", rules: [condition] };
}

export function nodeAt(root: Group, place: Place): Node | undefined {
  let node: Node | undefined = root;
  for (const index of place) {
    if (!node || !isGroup(node)) return undefined;
    node = node.rules[index];
  }
  return node;
}

/** The tree with the group at `place` changed; everything else is the same object as before. */
function changeGroup(root: Group, place: Place, change: (group: Group) => Group): Group {
  const [index, ...rest] = place;
  if (index === undefined) return change(root);
  const rules = root.rules.map((node, at) => (at === index && isGroup(node) ? changeGroup(node, rest, change) : node));
  return { ...root, rules };
}

export function replaceAt(root: Group, place: Place, node: Node): Group {
  const last = place.at(-1);
  if (last === undefined) return asGroup(node);
  return changeGroup(root, place.slice(0, -1), (group) => ({
    ...group,
    rules: group.rules.map((old, index) => (index === last ? node : old)),
  }));
}

export function addTo(root: Group, place: Place, node: Node): Group {
  return changeGroup(root, place, (group) => ({ ...group, rules: [...group.rules, node] }));
}

/** Takes a node out. A group that this leaves empty goes too, except the root. */
export function removeAt(root: Group, place: Place): Group {
  const last = place.at(-1);
  if (last === undefined) return emptyGroup();
  const parent = place.slice(0, -1);
  const next = changeGroup(root, parent, (group) => ({
    ...group,
    rules: group.rules.filter((_, index) => index !== last),
  }));
  const left = nodeAt(next, parent);
  return parent.length > 0 && left && isGroup(left) && left.rules.length === 0 ? removeAt(next, parent) : next;
}

/** Swaps a node with its neighbour; at an end it stays. */
export function moveAt(root: Group, place: Place, by: -1 | 1): Group {
  const last = place.at(-1);
  if (last === undefined) return root;
  return changeGroup(root, place.slice(0, -1), (group) => {
    const to = last + by;
    if (to < 0 || to >= group.rules.length) return group;
    const rules = [...group.rules];
    const moved = rules.splice(last, 1);
    rules.splice(to, 0, ...moved);
    return { ...group, rules };
  });
}

export function duplicateAt(root: Group, place: Place): Group {
  const last = place.at(-1);
  const node = nodeAt(root, place);
  if (last === undefined || !node) return root;
  return changeGroup(root, place.slice(0, -1), (group) => ({
    ...group,
    rules: [...group.rules.slice(0, last + 1), withoutIds(node), ...group.rules.slice(last + 1)],
  }));
}

/** Two nodes must not share an id, so a copy has none. */
function withoutIds(node: Node): Node {
  const { id: _, ...rest } = node;
  return "rules" in rest ? ({ ...rest, rules: (rest as Group).rules.map(withoutIds) } as Group) : (rest as Leaf);
}

/** Puts a node into a group of its own, so that it can be joined with others by the other combinator. */
export function wrapAt(root: Group, place: Place, combinator: Group["combinator"]): Group {
  const node = nodeAt(root, place);
  return node && place.length ? replaceAt(root, place, { combinator, rules: [node] }) : root;
}

export function patchGroup(root: Group, place: Place, patch: Partial<Omit<Group, "rules">>): Group {
  return changeGroup(root, place, (group) => ({ ...group, ...patch }));
}

/** The path the server uses for this node in its problems: `condition.rules[1].rules[0]`. */
export function pathOf(place: Place, at = "condition"): string {
  return place.reduce((text, index) => `${text}.rules[${index}]`, at);
}

/** The value a leaf starts with under another operator: kept where it still fits. */
export function valueFor(operand: string, old: Json | undefined): Json | undefined {
  switch (operand) {
    case "none":
      return undefined;
    case "list":
      return Array.isArray(old) ? old : old === undefined || old === "" || typeof old === "object" ? [] : [old];
    case "range":
      return Array.isArray(old) && old.length === 2 ? old : ["", ""];
    case "duration":
      return old && typeof old === "object" && !Array.isArray(old) && "n" in old ? old : { n: 1, unit: "day" };
    case "weekdays":
      return Array.isArray(old) ? old : [1, 2, 3, 4, 5];
    case "times":
      return Array.isArray(old) && old.length === 2 ? old : ["09:00", "17:00"];
    case "number":
      return typeof old === "number" ? old : 1;
    case "group":
      return old && typeof old === "object" && "rules" in old ? old : { combinator: "and", rules: [] };
    default:
      return old === undefined || (old !== null && typeof old === "object") ? "" : old;
  }
}

/** What only some operators understand. */
const OPTIONS = ["ci", "require_present", "bounds", "collation", "tz", "week_start", "match"];

export function withOperator(leaf: Leaf, operator: Operator): Leaf {
  const { value, ...rest } = leaf;
  const next = valueFor(operator.operand, value);
  const changed: Leaf = { ...rest, operator: operator.name };
  for (const option of OPTIONS) if (option in changed && !operator.options?.includes(option)) delete changed[option];
  if (operator.operand === "group" && !changed.match) changed.match = { mode: "some" };
  return next === undefined ? changed : { ...changed, value: next };
}

/** The nodes of an explanation by place, found by walking both trees together. */
export function explained(root: Group, explanation: Explanation | null | undefined): Map<string, ExplainNode> {
  const found = new Map<string, ExplainNode>();
  const walk = (node: Node, place: Place, told: ExplainNode | undefined) => {
    if (!told) return;
    found.set(place.join("."), told);
    if (!isGroup(node)) return;
    const inner = innerOf(told, node);
    node.rules.forEach((child, index) => {
      walk(child, [...place, index], inner[index]);
    });
  };
  if (explanation?.tree) walk(root, [], explanation.tree);
  return found;
}

/** A negated group may be told as a `not` around the group itself. */
function innerOf(told: ExplainNode, group: Group): ExplainNode[] {
  const children = told.children ?? [];
  const only = children[0];
  if (told.op === "not" && children.length === 1 && only?.children && group.rules.length !== 1) return only.children;
  if (told.op === "not" && only?.children && (only.op === "and" || only.op === "or")) return only.children;
  return children;
}

export function countLeaves(node: Node): number {
  return isGroup(node) ? node.rules.reduce((sum, child) => sum + countLeaves(child), 0) : 1;
}
