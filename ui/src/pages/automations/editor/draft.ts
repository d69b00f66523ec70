import type { AutomationDocument, AutomationItem } from "@/api/types";

/**
 * The document being edited, with what can be undone and redone. `saved` is the text that the changes are made on, as the
 * server has or had it, and `revision` the one of the server's draft that it is; null before the first save.
 */
export type Draft = {
  document: AutomationDocument;
  past: AutomationDocument[];
  future: AutomationDocument[];
  saved: string;
  revision: number | null;
  /** What the last change touched; changes to one thing in a row are undone together. */
  lastTouched: string | null;
};

export type Change =
  | { do: "edit"; document: AutomationDocument; touched: string | null }
  | { do: "undo" }
  | { do: "redo" }
  | { do: "saved"; document: AutomationDocument; revision: number }
  /** What is saved is another document now; what is edited becomes this one, which can be undone. */
  | { do: "rebase"; saved: AutomationDocument; document: AutomationDocument; revision: number | null };

const UNDO_MAX = 200;

export const emptyDocument: AutomationDocument = {
  name: "",
  trigger: { event: "" },
  priority: 5,
  condition: null,
  steps: [],
};

export function textOf(document: AutomationDocument): string {
  return JSON.stringify(tidy(document));
}

/** A document as it is sent: an empty condition is none, and what is undefined is left out. */
export function tidy(document: AutomationDocument): AutomationDocument {
  const { description, condition, ...rest } = document;
  const kept = condition && condition.rules.length > 0 ? condition : null;
  return JSON.parse(JSON.stringify({ ...rest, ...(description ? { description } : {}), condition: kept }));
}

/** What an automation has beside its document. */
const KEPT_BY_SERVER = [
  "id",
  "status",
  "version",
  "draft_revision",
  "has_draft_changes",
  "created_by",
  "created_at",
  "updated_at",
  "deleted_at",
  "last_run",
  "run_count",
  "success_rate",
  "warnings",
];

/** The whole document of an automation, also what no form shows; what it does not say is left out. */
export function documentOf(item: AutomationItem): AutomationDocument {
  const said = Object.entries(item).filter(
    ([name, value]) => !KEPT_BY_SERVER.includes(name) && (value !== null || name === "condition"),
  );
  return tidy(Object.fromEntries(said) as unknown as AutomationDocument);
}

export function startDraft(
  saved: AutomationDocument,
  revision: number | null,
  restored: AutomationDocument = saved,
): Draft {
  return { document: restored, past: [], future: [], saved: textOf(saved), revision, lastTouched: null };
}

export function isDirty(draft: Draft): boolean {
  return textOf(draft.document) !== draft.saved;
}

export function changeDraft(draft: Draft, change: Change): Draft {
  switch (change.do) {
    case "edit": {
      const together = change.touched !== null && change.touched === draft.lastTouched;
      const past = together ? draft.past : [...draft.past, draft.document].slice(-UNDO_MAX);
      return { ...draft, document: change.document, past, future: [], lastTouched: change.touched };
    }
    case "undo": {
      const before = draft.past.at(-1);
      if (!before) return draft;
      return {
        ...draft,
        document: before,
        past: draft.past.slice(0, -1),
        future: [draft.document, ...draft.future],
        lastTouched: null,
      };
    }
    case "redo": {
      const [after, ...future] = draft.future;
      if (!after) return draft;
      return { ...draft, document: after, past: [...draft.past, draft.document], future, lastTouched: null };
    }
    case "saved":
      return { ...draft, saved: textOf(change.document), revision: change.revision, lastTouched: null };
    case "rebase": {
      const isSame = textOf(change.document) === textOf(draft.document);
      const edited = isSame ? draft : changeDraft(draft, { do: "edit", document: change.document, touched: null });
      return { ...edited, saved: textOf(change.saved), revision: change.revision };
    }
  }
}
