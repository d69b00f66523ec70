import type { ExplainNode, Group, Json, Leaf, Operator } from "@/api/types";
import { brief } from "@/parts/json";
import { texts } from "@/texts";
import { isGroup } from "./model";

type Node = Leaf | Group;

function valueWords(value: Json | undefined): string {
  if (value === undefined) return "";
  if (Array.isArray(value)) return value.map((item) => quoted(item)).join(", ");
  if (value !== null && typeof value === "object") {
    if ("n" in value && "unit" in value) return texts.condition.duration(String(value.n), String(value.unit));
    if ("ref" in value) return String(value.ref);
    return brief(value, 40);
  }
  return quoted(value);
}

function quoted(value: Json): string {
  return typeof value === "string" ? `“${brief(value, 40)}”` : brief(value, 40);
}

/** What a leaf needs, as the catalogue words it: `greater than 100`. */
export function neededWords(node: ExplainNode, operators: Operator[]): string {
  const operator = operators.find((one) => one.name === node.op);
  const value = node.expected_value ?? node.expected;
  const shown = operator?.operand === "weekdays" ? weekdayWords(value) : valueWords(value);
  if (operator?.words) return operator.words.replace("{value}", shown);
  return [(node.op ?? "").replaceAll("_", " "), shown].filter(Boolean).join(" ");
}

function weekdayWords(value: Json | undefined): string {
  if (!Array.isArray(value)) return valueWords(value);
  return value.map((day) => texts.condition.days[Number(day)] ?? String(day)).join(", ");
}

/** A condition as one phrase, without its outer brackets. */
export function inWords(node: Node | null | undefined, operators: Operator[] = [], outer = true): string {
  if (!node) return "";
  if (!isGroup(node)) {
    const operator = operators.find((one) => one.name === node.operator);
    const verb = operator?.title.toLowerCase() ?? node.operator.replaceAll("_", " ");
    return [node.field, verb, operator?.operand === "weekdays" ? weekdayWords(node.value) : valueWords(node.value)]
      .filter(Boolean)
      .join(" ");
  }
  if (node.rules.length === 0) return "";
  const joined = node.rules
    .map((child) => inWords(child, operators, false))
    .join(` ${texts.condition.joins[node.combinator]} `);
  const whole = outer && !node.not ? joined : `(${joined})`;
  return node.not ? `${texts.condition.not} ${whole}` : whole;
}
