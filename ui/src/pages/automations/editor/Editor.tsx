import { useQuery } from "@tanstack/react-query";
import { useBlocker } from "@tanstack/react-router";
import { type KeyboardEvent, lazy, Suspense, useMemo, useRef, useState } from "react";
import { eventTypesQuery } from "@/api/events";
import { actionsQuery, operatorsQuery } from "@/api/system";
import type { ActionItem, AutomationDocument, AutomationItem, EventType, Operator } from "@/api/types";
import { factsOf } from "@/condition-builder/facts";
import { Confirm } from "@/parts/Confirm";
import { Dialog } from "@/parts/Dialog";
import { SkeletonRows } from "@/parts/Notes";
import { texts } from "@/texts";
import { type Place, placeIn, selectionAt } from "../insights/places";
import { PublishDialog } from "../PublishDialog";
import { isSaid } from "../trigger";
import { backToOutline, EditorBody } from "./EditorBody";
import { EditorHeader, type EditorView } from "./EditorHeader";
import { JsonPane } from "./JsonPane";
import { Notices } from "./Notices";
import type { Selection } from "./selection";
import { useChecks } from "./useChecks";
import { useDraft } from "./useDraft";
import { useAbout, useSample } from "./useSample";
import { useSave } from "./useSave";

type Props = {
  /** The automation as the server has it; null for a new one. */
  item: AutomationItem | null;
  start: AutomationDocument;
  sampleId?: string;
  /** What to open it at, where that is there. */
  place?: Place;
  onClose: () => void;
  /** It is kept for the first time; what was open then is to stay open. */
  onCreated: (item: AutomationItem, place: Place) => void;
};

const noActions: ActionItem[] = [];
const noOperators: Operator[] = [];
const noEventTypes: EventType[] = [];
const CanvasBody = lazy(() => import("./CanvasBody").then((loaded) => ({ default: loaded.CanvasBody })));

/** The automation under edit: outline, form and sample side by side; the same document as JSON behind a tab. */
export function Editor({ item, start, sampleId, place = {}, onClose, onCreated }: Props) {
  const draft = useDraft(item?.id ?? null, start, item?.draft_revision ?? null);
  const { document, edit } = draft;
  const [view, setView] = useState<EditorView>("build");
  const [selection, setSelection] = useState<Selection>(
    selectionAt(place, document.steps) ?? { part: isSaid(document.trigger) ? "condition" : "trigger" },
  );
  const actions = useQuery(actionsQuery).data ?? noActions;
  const operators = useQuery(operatorsQuery).data ?? noOperators;
  const eventTypes = useQuery(eventTypesQuery).data;
  const type = eventTypes?.find((one) => one.name === document.trigger.event);
  const sample = useSample(document.trigger.event ?? "", type, sampleId);
  const { about, example } = useAbout(document.trigger, type);
  const facts = useMemo(() => factsOf(type, sample.data, about, example), [type, sample.data, about, example]);
  const leaving = useRef(false);
  const save = useSave({
    ...{ item, draft, leaving },
    onCreated: (created) => onCreated(created, placeIn(selection, document.steps)),
  });
  const checks = useChecks(document, sample, save.refused, item !== null || save.error !== null, item?.id);
  const blocker = useBlocker({
    shouldBlockFn: ({ current, next }) => draft.dirty && !leaving.current && current.pathname !== next.pathname,
    enableBeforeUnload: () => draft.dirty,
    withResolver: true,
  });
  const [publishing, setPublishing] = useState<AutomationItem | null>(null);
  const finish = () => {
    leaving.current = true;
    onClose();
  };
  const publish = async () => {
    if (!item || item.version === null) return (await save.publishFirst()) && finish();
    setPublishing(await save.saved());
  };
  const body = {
    ...{ item, dirty: draft.dirty, document, selection, actions, operators, facts, sample, checks },
    eventTypes: eventTypes ?? noEventTypes,
    onSelect: setSelection,
    onEdit: edit,
    onRun: save.runForReal,
    running: save.running,
    runError: save.runError,
  };
  const keys = useEditorKeys({ undo: draft.undo, redo: draft.redo, save: save.saveDraft });
  return (
    <>
      <Dialog
        title={item ? texts.editor.edit(item.name) : texts.editor.create}
        size="full"
        focusField={item === null}
        light={false}
        onEscape={backToOutline}
        onClose={onClose}
        header={
          <EditorHeader
            item={item}
            draft={draft}
            view={view}
            onView={setView}
            saving={save.saving}
            onSave={save.saveDraft}
            onPublish={() => void publish()}
            onClose={onClose}
          />
        }
      >
        {/* biome-ignore lint/a11y/noStaticElementInteractions: keys for the whole editor, each also a button */}
        <div onKeyDown={keys} className="flex min-h-0 flex-1 flex-col">
          <Notices draft={draft} save={save} item={item} />
          {view === "json" ? (
            <JsonPane document={document} onChange={edit} />
          ) : view === "canvas" ? (
            <Suspense fallback={<SkeletonRows />}>
              <CanvasBody {...body} />
            </Suspense>
          ) : (
            <EditorBody {...body} />
          )}
        </div>
      </Dialog>
      {publishing && (
        <PublishDialog
          item={publishing}
          onClose={() => setPublishing(null)}
          onPublished={finish}
          onStale={() => {
            setPublishing(null);
            void save.lookForOthers();
          }}
        />
      )}
      {blocker.status === "blocked" && (
        <Confirm
          title={texts.editor.leaveTitle}
          confirm={texts.editor.leaveDiscard}
          cancel={texts.editor.leaveStay}
          danger
          onCancel={() => blocker.reset()}
          onConfirm={() => {
            draft.forget();
            blocker.proceed();
          }}
        >
          {texts.editor.leave}
        </Confirm>
      )}
    </>
  );
}

function useEditorKeys({ undo, redo, save }: { undo: () => void; redo: () => void; save: () => void }) {
  return (event: KeyboardEvent) => {
    // Keys that are pressed in a dialog that a form opened come here too, since it is rendered by it.
    if (!(event.ctrlKey || event.metaKey) || !event.currentTarget.contains(event.target as Node)) return;
    const key = event.key.toLowerCase();
    const inText = event.target instanceof HTMLTextAreaElement;
    if (key === "s") save();
    else if (key === "z" && !inText) event.shiftKey ? redo() : undo();
    else if (key === "y" && !inText) redo();
    else return;
    event.preventDefault();
  };
}
