import { useCallback, useEffect, useReducer, useState } from "react";
import type { AutomationDocument } from "@/api/types";
import { changeDraft, isDirty, startDraft, textOf, tidy } from "./draft";

const keyOf = (id: string | null) => `upshot.draft.${id ?? "new"}`;

function readKept(id: string | null): AutomationDocument | null {
  try {
    const text = localStorage.getItem(keyOf(id));
    return text ? (JSON.parse(text) as AutomationDocument) : null;
  } catch {
    return null;
  }
}

function keep(id: string | null, document: AutomationDocument | null) {
  try {
    if (document) localStorage.setItem(keyOf(id), JSON.stringify(document));
    else localStorage.removeItem(keyOf(id));
  } catch {
    // A browser that keeps nothing only loses the safety net.
  }
}

/** The draft under edit. What is not saved is also kept in this browser, so that a closed tab loses nothing. */
export function useDraft(id: string | null, saved: AutomationDocument) {
  const [restored, setRestored] = useState<AutomationDocument | null>(() => {
    const kept = readKept(id);
    return kept && textOf(kept) !== textOf(saved) ? kept : null;
  });
  const [draft, change] = useReducer(changeDraft, null, () => startDraft(saved, restored ?? undefined));
  const dirty = isDirty(draft);
  useEffect(() => {
    const timer = window.setTimeout(() => keep(id, dirty ? draft.document : null), 300);
    return () => window.clearTimeout(timer);
  }, [id, dirty, draft.document]);
  const edit = useCallback(
    (document: AutomationDocument, touched: string | null = null) => change({ do: "edit", document, touched }),
    [],
  );
  return {
    document: draft.document,
    dirty,
    canUndo: draft.past.length > 0,
    canRedo: draft.future.length > 0,
    wasRestored: restored !== null,
    edit,
    undo: () => change({ do: "undo" }),
    redo: () => change({ do: "redo" }),
    markSaved: (document: AutomationDocument) => {
      keep(id, null);
      setRestored(null);
      change({ do: "saved", document });
    },
    load: (document: AutomationDocument) => {
      keep(id, null);
      setRestored(null);
      change({ do: "load", document: tidy(document) });
    },
    forget: () => keep(id, null),
  };
}

export type DraftState = ReturnType<typeof useDraft>;
