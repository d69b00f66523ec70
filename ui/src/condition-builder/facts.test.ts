import { describe, expect, it } from "vitest";
import type { Entity, EventType } from "@/api/types";
import { factsOf, readPath, resolve } from "./facts";

const type: EventType = {
  name: "crm/appointment.created",
  title: null,
  description: null,
  entity: { type: "patient", id: "appointment.patientId" },
  on_invalid: "refuse",
  sample: null,
  schema: {
    type: "object",
    properties: { appointment: { $ref: "#/$defs/Appointment" } },
    $defs: {
      Appointment: {
        type: "object",
        properties: {
          status: { type: "string", enum: ["scheduled", "cancelled"] },
          startsAt: { type: "string", format: "date-time" },
          note: { anyOf: [{ type: "string" }, { type: "null" }] },
        },
      },
    },
  },
};

describe("factsOf", () => {
  it("reads the schema through references and joins the sample's values", () => {
    const facts = factsOf(type, { appointment: { status: "scheduled", fee: 80 } });
    const byPath = new Map(facts.map((fact) => [fact.path, fact]));
    expect(byPath.get("appointment.status")).toMatchObject({
      type: "string",
      example: "scheduled",
      options: ["scheduled", "cancelled"],
    });
    expect(byPath.get("appointment.startsAt")?.type).toBe("date-time");
    expect(byPath.get("appointment.note")?.type).toBe("string");
    expect(byPath.get("appointment.fee")).toMatchObject({ type: "integer", example: 80 });
    expect(byPath.has("entity.id")).toBe(true);
  });

  it("offers the fields of the entity that a schedule is for", () => {
    const entity = { type: "member", id: "m-1", tags: [], fields: { points: 5 } } as unknown as Entity;
    const paths = factsOf(undefined, {}, "member", entity).map((fact) => fact.path);
    expect(paths).toContain("entity.points");
    expect(paths).toContain("entity.id");
    expect(factsOf(undefined, {}).some((fact) => fact.path.startsWith("entity."))).toBe(false);
  });

  it("quotes names that are not plain", () => {
    expect(factsOf(undefined, { "odd name": 1 })[0]?.path).toBe('["odd name"]');
  });
});

describe("readPath", () => {
  it("reads through objects and lists, and never throws", () => {
    expect(readPath({ a: { b: [1, 2] } }, "a.b[1]")).toBe(2);
    expect(readPath({ a: null }, "a.b.c")).toBeUndefined();
  });
});

describe("resolve", () => {
  it("keeps a reference it cannot follow", () => {
    expect(resolve({ $ref: "https://elsewhere" }, {})).toEqual({ $ref: "https://elsewhere" });
  });
});
