import { expect, it } from "vitest";
import { partOf, placeWords } from "./selection";

const problem = (path: string) => ({ path, message: "", code: "" });

it("leads a problem to the part it belongs to", () => {
  expect(partOf(problem("steps[2].with.to"))).toEqual({ part: "step", at: 2 });
  expect(partOf(problem("condition.rules[0].field"))).toEqual({ part: "condition" });
  expect(partOf(problem("trigger.event"))).toEqual({ part: "trigger" });
  expect(partOf(problem("priority"))).toEqual({ part: "settings" });
});

it("names the place as the outline does", () => {
  const steps = [{ id: "first note", action: "create_note" }];
  expect(placeWords("steps[0].with.patientId", steps)).toBe("first note › patientId");
  expect(placeWords("steps[0]", steps)).toBe("first note");
  expect(placeWords("condition.rules[1].rules[0].field", steps)).toBe("If › 2.1.field");
  expect(placeWords("name", steps)).toBe("Name");
});
