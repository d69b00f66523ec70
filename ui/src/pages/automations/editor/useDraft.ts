import { useCallback, useEffect, useReducer, useState } from "react";
import type { AutomationDocument } from "@/api/types";
import { changeDraft, isDirty, startDraft, textOf, tidy } from "./draft";

/** What this browser keeps of changes that are not saved: also what they were made on. */
type Kept = { document: AutomationDocument; base: AutomationDocument; revision: number | null };

const keyOf = (id: string | null) => `upshot.draft.${id ?? "new"}`;

function readKept(id: string | null): Kept | null {
  try {
    const text = localStorage.getItem(keyOf(id));
    const kept = text ? (JSON.parse(text) as Partial<Kept>) : null;
    return kept?.document && kept.base ? (kept as Kept) : null;
  } catch {
    return null;
  }
}

function keep(id: string | null, kept: Kept | null) {
  try {
    if (kept) localStorage.setItem(keyOf(id), JSON.stringify(kept));
    else localStorage.removeItem(keyOf(id));
  } catch {
    // A browser that keeps nothing only loses the safety net.
  }
}

/**
 * The draft under edit, begun from what is saved and its revision. What is not saved is also kept in this browser, so that a
 * closed tab loses nothing; restored, it still stands on the revision that it was made on.
 */
export function useDraft(id: string | null, saved: AutomationDocument, revision: number | null) {
  const [restored, setRestored] = useState<Kept | null>(() => {
    const kept = readKept(id);
    return kept && textOf(kept.document) !== textOf(saved) ? kept : null;
  });
  const [draft, change] = useReducer(changeDraft, null, () =>
    restored ? startDraft(restored.base, restored.revision, restored.document) : startDraft(saved, revision),
  );
  const dirty = isDirty(draft);
  useEffect(() => {
    const kept = { document: draft.document, base: JSON.parse(draft.saved), revision: draft.revision };
    const timer = window.setTimeout(() => keep(id, dirty ? kept : null), 300);
    return () => window.clearTimeout(timer);
  }, [id, dirty, draft.document, draft.saved, draft.revision]);
  const edit = useCallback(
    (document: AutomationDocument, touched: string | null = null) => change({ do: "edit", document, touched }),
    [],
  );
  const rebase = (base: AutomationDocument, revision: number | null, document: AutomationDocument = base) => {
    keep(id, null);
    setRestored(null);
    change({ do: "rebase", saved: base, document: tidy(document), revision });
  };
  return {
    document: draft.document,
    /** What the changes are made on. */
    base: JSON.parse(draft.saved) as AutomationDocument,
    revision: draft.revision,
    dirty,
    canUndo: draft.past.length > 0,
    canRedo: draft.future.length > 0,
    wasRestored: restored !== null,
    edit,
    undo: () => change({ do: "undo" }),
    redo: () => change({ do: "redo" }),
    markSaved: (document: AutomationDocument, revision: number) => {
      keep(id, null);
      setRestored(null);
      change({ do: "saved", document, revision });
    },
    /** Stands on another saved document from now on, and edits this one; what was edited comes back by undoing. */
    rebase,
    forget: () => keep(id, null),
  };
}

export type DraftState = ReturnType<typeof useDraft>;
