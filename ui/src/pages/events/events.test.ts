import { describe, expect, it } from "vitest";
import { curlOf } from "./curl";
import { readEntity } from "./emit";

describe("curlOf", () => {
  it("quotes for the shell", () => {
    const text = curlOf({ name: "a/b", data: { note: "it's" }, entity: null }, "http://x/api/v1");
    expect(text).toContain("'http://x/api/v1/events'");
    expect(text).toContain("it'\\''s");
  });
});

describe("readEntity", () => {
  it("divides at the first colon", () => {
    expect(readEntity("patient:p:1")).toEqual({ type: "patient", id: "p:1" });
    expect(readEntity("patient")).toBeNull();
    expect(readEntity(":x")).toBeNull();
  });
});
