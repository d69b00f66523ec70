import type { Json, JsonSchema } from "@/api/types";
import { resolve, typeOf } from "@/condition-builder/facts";

export type FormField = {
  name: string;
  title: string;
  help: string | null;
  required: boolean;
  kind: "text" | "textarea" | "number" | "boolean" | "choice" | "texts" | "object" | "map" | "json" | "code";
  options: Json[];
  example: string | null;
  format: string | null;
  schema: JsonSchema;
};

/** The fields of an object schema, in its order. What the form cannot draw is edited as JSON. */
export function formFields(schema: JsonSchema | null | undefined): FormField[] {
  if (!schema) return [];
  const root = schema;
  const object = resolve(schema, root);
  const required = new Set(object.required ?? []);
  return ordered(object).map(([name, given]) => {
    const property = inlined(resolve(given, root), root);
    const example = property.examples?.[0];
    return {
      name,
      title: property.title ?? titleOf(name),
      help: property.description ?? null,
      required: required.has(name),
      kind: fieldKind(property),
      options: property.enum ?? [],
      example: example === undefined ? null : typeof example === "string" ? example : JSON.stringify(example),
      format: property.format ?? null,
      schema: property,
    };
  });
}

/** A field that takes any names, each with a value. */
export function mapField(name: string, title: string, help: string): FormField {
  return {
    ...{ name, title, help, required: false, kind: "map", options: [], example: null, format: null, schema: {} },
  };
}

/** By the schema's own order; what has none follows as it stands. */
function ordered(object: JsonSchema): [string, JsonSchema][] {
  const place = (schema: JsonSchema) => schema["x-order"] ?? Number.MAX_SAFE_INTEGER;
  return Object.entries(object.properties ?? {}).sort(([, a], [, b]) => place(a) - place(b));
}

/** Carries the definitions along, so that a nested form can follow references too. */
function inlined(schema: JsonSchema, root: JsonSchema): JsonSchema {
  return root.$defs ? { ...schema, $defs: root.$defs } : schema;
}

function fieldKind(schema: JsonSchema): FormField["kind"] {
  if (schema.enum) return "choice";
  // A list that may also be written as one text is edited as text: `a@example.org, b@example.org`.
  if (Array.isArray(schema.type) && schema.type.includes("string") && schema.type.includes("array")) return "text";
  if (schema.format === "python") return "code";
  switch (typeOf(schema)) {
    case "string":
    case "date":
    case "date-time":
      return schema.format === "textarea" || schema.format === "multiline" || (schema.maxLength ?? 0) > 500
        ? "textarea"
        : "text";
    case "integer":
    case "number":
      return "number";
    case "boolean":
      return "boolean";
    case "array":
      return typeOf(resolve(schema.items ?? {}, schema)) === "string" ? "texts" : "json";
    case "object":
      return schema.properties && Object.keys(schema.properties).length ? "object" : "map";
    default:
      return "json";
  }
}

/** `patientId` and `due_at` as a person would write them. */
export function titleOf(name: string): string {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/[_-]+/g, " ")
    .trim()
    .toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** Whether a value is filled in from data rather than fixed. */
export function isTemplate(value: Json | undefined): boolean {
  return typeof value === "string" && /\{\{|\{%/.test(value);
}

/** A typed scalar: a number where the text is one, else the text itself. */
export function numberOrText(text: string): Json {
  const trimmed = text.trim();
  return trimmed !== "" && Number.isFinite(Number(trimmed)) ? Number(trimmed) : text;
}

export function placeholder(path: string): string {
  return `{{ ${path} }}`;
}
