import type { AutomationDocument, Group, Json, Leaf } from "@/api/types";

export type ChangeKind = "created" | "updated" | "deleted";
/** A change of an entity, or of one field of it from and to a value. It is the event and the condition that it means. */
export type Change = { type: string; kind: ChangeKind; field: string; from?: Json; to?: Json };

const EVENT = /^(.+)\.(created|updated|deleted)$/;
const OPERATORS = ["changed", "changed_from", "changed_to"];

/** The change that an event's name says, where it is of an entity of one of these types. */
export function changeEvent(event: string | undefined, types: string[]): { type: string; kind: ChangeKind } | null {
  const match = EVENT.exec(event ?? "");
  return match && types.includes(match[1] ?? "") ? { type: match[1] ?? "", kind: match[2] as ChangeKind } : null;
}

function fieldRules(condition: Group | null, type: string): Leaf[] {
  if (condition?.combinator !== "and" || condition.not) return [];
  const found = condition.rules.filter(
    (rule): rule is Leaf =>
      "operator" in rule &&
      OPERATORS.includes(String(rule.operator)) &&
      typeof rule.field === "string" &&
      rule.field.startsWith(`${type}.`),
  );
  return found.filter((rule) => rule.field === found[0]?.field);
}

/** The change that a document waits for: its event, and what its condition says about one field. */
export function changeOf(document: AutomationDocument, types: string[]): Change | null {
  const event = changeEvent(document.trigger.event, types);
  if (!event) return null;
  const rules = event.kind === "updated" ? fieldRules(document.condition, event.type) : [];
  const value = (operator: string) => rules.find((rule) => rule.operator === operator)?.value;
  const field = String(rules[0]?.field ?? "").slice(event.type.length + 1);
  return { ...event, field, from: value("changed_from"), to: value("changed_to") };
}

/** The document that waits for this change; all else of its condition stays. */
export function withChange(document: AutomationDocument, before: Change | null, change: Change): AutomationDocument {
  const { type, kind, field, from, to } = change;
  const gone = new Set(before ? fieldRules(document.condition, before.type) : []);
  const name = `${type}.${field}`;
  const said: Leaf[] = [];
  if (kind === "updated" && field) {
    if (from !== undefined) said.push({ field: name, operator: "changed_from", value: from });
    if (to !== undefined) said.push({ field: name, operator: "changed_to", value: to });
    if (said.length === 0) said.push({ field: name, operator: "changed" });
  }
  return {
    ...document,
    trigger: { event: `${type}.${kind}` },
    condition: said.length || gone.size ? joined(document.condition, gone, said) : document.condition,
  };
}

function joined(condition: Group | null, gone: Set<Leaf | Group>, said: Leaf[]): Group {
  if (!condition) return { combinator: "and", rules: said };
  if (condition.combinator === "and" && !condition.not) {
    return { ...condition, rules: [...said, ...condition.rules.filter((rule) => !gone.has(rule))] };
  }
  return said.length ? { combinator: "and", rules: [...said, condition] } : condition;
}
