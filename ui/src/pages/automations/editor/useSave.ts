import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type RefObject, useEffect, useEffectEvent, useState } from "react";
import { automationQuery, automations } from "@/api/automations";
import { problemsOf, statusOf } from "@/api/client";
import type { AutomationDocument, AutomationItem, Problem } from "@/api/types";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { documentOf, tidy } from "./draft";
import { merge } from "./merge";
import type { DraftState } from "./useDraft";
import type { SampleState } from "./useSample";

type Options = {
  item: AutomationItem | null;
  draft: DraftState;
  onCreated: (item: AutomationItem) => void;
  leaving: RefObject<boolean>;
};

/** What somebody else saved meanwhile, and what it was made from; `isShown`: it is what is edited now. */
export type Others = { item: AutomationItem; base: AutomationDocument; isShown: boolean };

const NONE: Problem[] = [];

type Saving = { document: AutomationDocument; publish: boolean; madeOn: number | null };

/** Saving and running for real. Each save names the revision it is made on, so that nobody's work is overwritten unseen. */
export function useSave({ item, draft, onCreated, leaving }: Options) {
  const client = useQueryClient();
  const say = useSay();
  const mutation = useMutation({
    mutationFn: ({ document, publish, madeOn }: Saving) => {
      const sent = { ...tidy(document), ...(publish ? { status: "active" as const } : {}) };
      return item ? automations.save(item.id, sent, madeOn ?? item.draft_revision) : automations.create(sent);
    },
    onSuccess: (saved, { document }) => {
      draft.markSaved(document, saved.draft_revision);
      client.setQueryData(["automations", "one", saved.id], saved);
      client.invalidateQueries({ queryKey: ["automations"] });
    },
    onError: (error) => {
      if (statusOf(error) === 412) return others.look();
      if (problemsOf(error).length === 0) say.failed(texts.errors.action("save the automation"), error);
    },
  });
  const others = useOthers(item, draft, mutation.isPending);
  const attempt = async (publish: boolean, madeOn = draft.revision): Promise<AutomationItem | null> => {
    try {
      return await mutation.mutateAsync({ document: draft.document, publish, madeOn });
    } catch {
      return null;
    }
  };
  const saveDraft = async (madeOn = draft.revision) => {
    const saved = await attempt(false, madeOn);
    if (!saved) return;
    others.forget();
    say.done(texts.editor.saved);
    if (!item) {
      leaving.current = true;
      onCreated(saved);
    }
  };
  return {
    saveDraft: () => void saveDraft(),
    /** Saves what is not saved; null when that was refused. */
    saved: () => (item && !draft.dirty ? Promise.resolve(item) : attempt(false)),
    /** Saves it as a version that is on, the first one. */
    publishFirst: async () => {
      const saved = await attempt(true);
      if (saved) say.done(texts.editor.published(saved.version));
      return saved !== null;
    },
    others: others.told,
    bothChanged: others.bothChanged,
    lookForOthers: others.look,
    dismissOthers: others.forget,
    putTogether: others.putTogether,
    loadTheirs: others.load,
    saveOver: () => {
      if (others.told) void saveDraft(others.told.item.draft_revision);
    },
    saving: mutation.isPending,
    error: statusOf(mutation.error) === 412 ? null : mutation.error,
    /** What was wrong with the document as it stands: nothing any more once it was changed. */
    refused: mutation.variables?.document === draft.document ? problemsOf(mutation.error) : NONE,
    ...useRealRun(item),
  };
}

export type SaveState = ReturnType<typeof useSave>;

/** Notices what others save while this editor is open: shown at once where nothing was changed here, told where it was. */
function useOthers(item: AutomationItem | null, draft: DraftState, isSaving: boolean) {
  const client = useQueryClient();
  const say = useSay();
  const [told, setTold] = useState<Others | null>(null);
  const [bothChanged, setBothChanged] = useState<string[] | null>(null);
  const meet = (fresh: AutomationItem) => {
    if (draft.revision !== null && fresh.draft_revision <= draft.revision) return;
    setTold({ item: fresh, base: draft.base, isShown: !draft.dirty });
    if (!draft.dirty) draft.rebase(documentOf(fresh), fresh.draft_revision);
  };
  const arrived = useEffectEvent(meet);
  useEffect(() => {
    if (item && !isSaving) arrived(item);
  }, [item, isSaving]);
  const look = async () => {
    if (!item) return;
    try {
      meet(await client.fetchQuery({ ...automationQuery(item.id), staleTime: 0 }));
    } catch (error) {
      say.failed(texts.errors.load("what was saved meanwhile"), error);
    }
  };
  const load = () => {
    if (!told) return;
    draft.rebase(documentOf(told.item), told.item.draft_revision);
    setTold(null);
  };
  const putTogether = () => {
    if (!told) return;
    const theirs = documentOf(told.item);
    const { document, both } = merge(draft.base, tidy(draft.document), theirs);
    draft.rebase(theirs, told.item.draft_revision, document);
    setTold(null);
    setBothChanged(both);
  };
  const forget = () => {
    setTold(null);
    setBothChanged(null);
  };
  return { told, bothChanged, look, load, putTogether, forget };
}

function useRealRun(item: AutomationItem | null) {
  const navigate = useNavigate();
  const say = useSay();
  const run = useMutation({
    mutationFn: (sample: SampleState) => {
      if (!item) throw new Error(texts.inspector.realNeedsVersion);
      return automations.run(item.id, { data: sample.data, entity: sample.entity });
    },
    onSuccess: ({ run_id }) => {
      say.done(texts.inspector.started);
      void navigate({ to: "/runs/$id", params: { id: run_id } });
    },
  });
  return {
    runForReal: (sample: SampleState) => run.mutate(sample),
    running: run.isPending,
    runError: run.error,
  };
}
