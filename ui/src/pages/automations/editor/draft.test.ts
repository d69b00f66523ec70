import { describe, expect, it } from "vitest";
import { changeDraft, documentOf, emptyDocument, isDirty, startDraft, tidy } from "./draft";

const named = (name: string) => ({ ...emptyDocument, name });

describe("a draft", () => {
  it("begins with the whole document, also with what no form shows", () => {
    const document = { ...named("a"), steps: [{ id: "s", stop: true }], timeout: "1d", later: { x: 1 } };
    const kept = { id: "i", status: "active", version: 1, draft_revision: 2, has_draft_changes: false, run_count: 0 };
    const item = { ...document, ...kept, description: "", on_failure: null, warnings: [] };
    expect(documentOf(item as unknown as Parameters<typeof documentOf>[0])).toEqual(document);
  });

  it("undoes typing into one field in one go, and redoes it", () => {
    let draft = startDraft(emptyDocument, 1);
    draft = changeDraft(draft, { do: "edit", document: named("a"), touched: "name" });
    draft = changeDraft(draft, { do: "edit", document: named("ab"), touched: "name" });
    expect(isDirty(draft)).toBe(true);
    draft = changeDraft(draft, { do: "undo" });
    expect(draft.document.name).toBe("");
    expect(isDirty(draft)).toBe(false);
    expect(changeDraft(draft, { do: "redo" }).document.name).toBe("ab");
  });

  it("keeps changes of different things apart", () => {
    let draft = startDraft(emptyDocument, 1);
    draft = changeDraft(draft, { do: "edit", document: named("a"), touched: "name" });
    draft = changeDraft(draft, { do: "edit", document: { ...named("a"), priority: 9 }, touched: "priority" });
    expect(changeDraft(draft, { do: "undo" }).document).toMatchObject({ name: "a", priority: 5 });
  });

  it("is clean once saved", () => {
    let draft = startDraft(emptyDocument, 1);
    draft = changeDraft(draft, { do: "edit", document: named("a"), touched: null });
    expect(isDirty(changeDraft(draft, { do: "saved", document: named("a"), revision: 2 }))).toBe(false);
  });

  it("takes over what somebody else saved, and undoes that to what was here", () => {
    let draft = startDraft(emptyDocument, 1);
    draft = changeDraft(draft, { do: "edit", document: named("mine"), touched: "name" });
    draft = changeDraft(draft, { do: "rebase", saved: named("theirs"), document: named("theirs"), revision: 2 });
    expect([draft.revision, isDirty(draft)]).toEqual([2, false]);
    draft = changeDraft(draft, { do: "undo" });
    expect([draft.document.name, draft.revision, isDirty(draft)]).toEqual(["mine", 2, true]);
  });

  it("sends no empty condition and no empty description", () => {
    const sent = tidy({ ...emptyDocument, description: "", condition: { combinator: "and", rules: [] } });
    expect(sent.condition).toBeNull();
    expect("description" in sent).toBe(false);
  });
});
