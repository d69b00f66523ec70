import { describe, expect, it } from "vitest";
import { formFields, isTemplate, numberOrText, titleOf } from "./model";

describe("formFields", () => {
  it("chooses a control for each property", () => {
    const fields = formFields({
      type: "object",
      required: ["patientId"],
      properties: {
        patientId: { type: "string" },
        body: { type: "string", format: "textarea" },
        tags: { type: "array", items: { type: "string" } },
        fields: { type: "object" },
        address: { type: "object", properties: { city: { type: "string" } } },
        days: { anyOf: [{ type: "integer" }, { type: "null" }] },
        channel: { $ref: "#/$defs/Channel" },
        source: { type: "string", format: "python", maxLength: 9000 },
        anything: {},
      },
      $defs: { Channel: { enum: ["email", "sms"] } },
    });
    expect(fields.map((field) => [field.name, field.kind])).toEqual([
      ["patientId", "text"],
      ["body", "textarea"],
      ["tags", "texts"],
      ["fields", "map"],
      ["address", "object"],
      ["days", "number"],
      ["channel", "choice"],
      ["source", "code"],
      ["anything", "json"],
    ]);
    expect(fields[0]).toMatchObject({ title: "Patient id", required: true });
  });

  it("keeps the schema's order, and edits a text or list as text", () => {
    const fields = formFields({
      properties: { b: { type: "string", "x-order": 2 }, a: { type: ["string", "array"], "x-order": 1 } },
    });
    expect(fields.map((field) => [field.name, field.kind])).toEqual([
      ["a", "text"],
      ["b", "text"],
    ]);
  });

  it("has no fields without a schema", () => {
    expect(formFields(null)).toEqual([]);
  });
});

it("titles, templates and numbers", () => {
  expect(titleOf("due_at")).toBe("Due at");
  expect(isTemplate("{{ a }}")).toBe(true);
  expect(isTemplate("plain")).toBe(false);
  expect(numberOrText("4.5")).toBe(4.5);
  expect(numberOrText("{{ n }}")).toBe("{{ n }}");
});
