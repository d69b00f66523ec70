import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type RefObject, useRef } from "react";
import { automations } from "@/api/automations";
import { problemsOf } from "@/api/client";
import type { AutomationItem } from "@/api/types";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { documentOf, tidy } from "./draft";
import type { DraftState } from "./useDraft";
import type { SampleState } from "./useSample";

type Options = {
  item: AutomationItem | null;
  draft: DraftState;
  onCreated: (item: AutomationItem) => void;
  leaving: RefObject<boolean>;
};

/** Saving, publishing and running for real. Each sends the draft's revision, so nobody's work is overwritten unseen. */
export function useSave({ item, draft, onCreated, leaving }: Options) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  const force = useRef(false);
  // The revision these changes were made on. Not the newest one: live updates may bring another's save meanwhile.
  const revision = useRef(item?.draft_revision);
  const mutation = useMutation({
    mutationFn: async (publish: boolean) => {
      const document = { ...tidy(draft.document), ...(publish ? { status: "active" as const } : {}) };
      if (!item) return automations.create(document);
      return automations.save(item.id, document, force.current ? "*" : (revision.current ?? item.draft_revision));
    },
    onSuccess: (saved) => {
      force.current = false;
      revision.current = saved.draft_revision;
      draft.markSaved(draft.document);
      client.setQueryData(["automations", "one", saved.id], saved);
      client.invalidateQueries({ queryKey: ["automations"] });
    },
    onError: (error) => {
      if (problemsOf(error).length === 0) say.failed(texts.errors.action("save the automation"), error);
    },
  });
  const attempt = async (publish: boolean): Promise<AutomationItem | null> => {
    try {
      return await mutation.mutateAsync(publish);
    } catch {
      return null;
    }
  };
  const saveDraft = async () => {
    const saved = await attempt(false);
    if (!saved) return;
    say.done(texts.editor.saved);
    if (!item) {
      leaving.current = true;
      onCreated(saved);
    }
  };
  const publish = async () => {
    const saved = await attempt(true);
    if (saved) say.done(texts.editor.published(saved.version));
    return saved !== null;
  };
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
    saveDraft: () => void saveDraft(),
    publish,
    saveOver: () => {
      force.current = true;
      void saveDraft();
    },
    /** Takes over what somebody else saved: the next save is made on their revision. */
    rebase: (fresh: AutomationItem) => {
      revision.current = fresh.draft_revision;
      draft.load(documentOf(fresh));
      mutation.reset();
    },
    runForReal: (sample: SampleState) => run.mutate(sample),
    saving: mutation.isPending,
    running: run.isPending,
    error: mutation.error,
    runError: run.error,
  };
}

export type SaveState = ReturnType<typeof useSave>;
