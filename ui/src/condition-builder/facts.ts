import type { Entity, EventType, Json, JsonObject, JsonSchema } from "@/api/types";

/** Something a condition or a placeholder can read. */
export type Fact = { path: string; type: string | null; title?: string; example?: Json; options?: Json[] };

const DEPTH_MAX = 6;

/**
 * The facts an event of this type offers: from its schema, from the sample for what the schema leaves open, and from the
 * entity of the type `about` that goes with it.
 */
export function factsOf(
  type: EventType | undefined,
  sample: JsonObject | null,
  about: string | undefined = type?.entity?.type,
  entity?: Entity,
): Fact[] {
  const found = new Map<string, Fact>();
  if (type?.schema) fromSchema(type.schema, type.schema, "", 0, found);
  if (sample) fromValue(sample, "", 0, found);
  return [...found.values(), ...ofEntity(about, entity), ...standing()];
}

function fromSchema(schema: JsonSchema, root: JsonSchema, at: string, depth: number, found: Map<string, Fact>) {
  if (depth > DEPTH_MAX) return;
  for (const [name, given] of Object.entries(resolve(schema, root).properties ?? {})) {
    const property = resolve(given, root);
    const path = join(at, name);
    const type = typeOf(property);
    if (property.properties) fromSchema(property, root, path, depth + 1, found);
    else found.set(path, { path, type, title: property.title ?? property.description, options: property.enum });
  }
}

function fromValue(value: JsonObject, at: string, depth: number, found: Map<string, Fact>) {
  if (depth > DEPTH_MAX) return;
  for (const [name, inner] of Object.entries(value)) {
    const path = join(at, name);
    if (inner !== null && typeof inner === "object" && !Array.isArray(inner)) {
      fromValue(inner, path, depth + 1, found);
    } else {
      const known = found.get(path);
      found.set(path, { ...known, path, type: known?.type ?? typeOfValue(inner), example: inner });
    }
  }
}

/** What a condition over an entity alone can read, seen on one. */
export function ofFields(entity: Entity | undefined): Fact[] {
  const found = new Map<string, Fact>();
  if (entity) fromValue(entity.fields, "", 1, found);
  found.set("id", { path: "id", type: "string" });
  found.set("tags", { path: "tags", type: "array", example: entity?.tags });
  return [...found.values()];
}

/** What the bound entity offers, seen on one entity of its type. */
function ofEntity(type: string | undefined, entity: Entity | undefined): Fact[] {
  if (!type) return [];
  const found = new Map<string, Fact>();
  if (entity) fromValue(entity.fields, "entity", 1, found);
  found.set("entity.id", { path: "entity.id", type: "string", title: type });
  found.set("entity.tags", { path: "entity.tags", type: "array", example: entity?.tags });
  return [...found.values()];
}

/** The roots that every run has beside the event's data. */
function standing(): Fact[] {
  return [
    { path: "event.name", type: "string" },
    { path: "event.id", type: "string" },
    { path: "now.day_of_week", type: "integer", title: "0 is Sunday" },
    { path: "now.hour", type: "integer" },
    { path: "now.date", type: "string" },
  ];
}

/** Follows `$ref` inside the document and looks through `anyOf [X, null]`. */
export function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  if (schema.$ref?.startsWith("#/")) {
    let target: unknown = root;
    for (const part of schema.$ref.slice(2).split("/"))
      target = (target as Record<string, unknown> | undefined)?.[part];
    return target ? resolve({ ...(target as JsonSchema), ...withoutRef(schema) }, root) : schema;
  }
  const choices = (schema.anyOf ?? schema.oneOf)?.filter((choice) => choice.type !== "null");
  if (choices?.length === 1 && choices[0]) return resolve({ ...choices[0], ...withoutChoices(schema) }, root);
  const only = schema.allOf?.length === 1 ? schema.allOf[0] : undefined;
  return only ? resolve({ ...only, ...withoutChoices(schema) }, root) : schema;
}

function withoutRef({ $ref: _, ...rest }: JsonSchema): JsonSchema {
  return rest;
}
function withoutChoices({ anyOf: _a, oneOf: _o, allOf: _l, ...rest }: JsonSchema): JsonSchema {
  return rest;
}

export function typeOf(schema: JsonSchema): string | null {
  const types = Array.isArray(schema.type) ? schema.type.filter((type) => type !== "null") : schema.type;
  if (Array.isArray(types)) return types.length === 1 ? (types[0] ?? null) : null;
  if (types === "string" && (schema.format === "date" || schema.format === "date-time")) return schema.format;
  return types ?? (schema.enum ? "string" : null);
}

function typeOfValue(value: Json): string | null {
  if (value === null) return null;
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/;

function join(at: string, name: string): string {
  if (!PLAIN.test(name)) return `${at}[${JSON.stringify(name)}]`;
  return at ? `${at}.${name}` : name;
}

/** Reads a plain path from a sample; undefined when it is not there. For showing only: the server decides. */
export function readPath(data: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = data;
  for (const part of path.match(/[^.[\]"]+/g) ?? []) {
    if (value === null || typeof value !== "object") return undefined;
    value = Array.isArray(value) ? value[Number(part)] : value[part];
  }
  return value;
}
