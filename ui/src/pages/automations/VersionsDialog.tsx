import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { automations, diffQuery, versionsQuery } from "@/api/automations";
import type { AutomationItem, Version } from "@/api/types";
import { Button } from "@/parts/Button";
import { cx } from "@/parts/classes";
import { Dialog } from "@/parts/Dialog";
import { ErrorNote, Skeleton } from "@/parts/Notes";
import { Badge } from "@/parts/Status";
import { Ago } from "@/parts/Time";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { ChangeList } from "./ChangeList";

type Props = { item: AutomationItem; onClose: () => void; onRestored: (item: AutomationItem) => void };

/** The published versions; what changed from the chosen one to the draft, in words; and the way back to it. */
export function VersionsDialog({ item, onClose, onRestored }: Props) {
  const [chosen, choose] = useState(item.version);
  const versions = useQuery(versionsQuery(item.id));
  const restore = useRestore(item, onRestored);
  return (
    <Dialog
      title={texts.versions.title(item.name)}
      description={texts.versions.lead}
      size="lg"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.close}</Button>
          {chosen !== null && (
            <Button look="primary" busy={restore.isPending} onClick={() => restore.mutate(chosen)}>
              {texts.versions.restore(chosen)}
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5">
        {(versions.error ?? restore.error) && <ErrorNote error={versions.error ?? restore.error} />}
        {versions.data?.items.length === 0 && <p className="text-sm text-soft">{texts.versions.none}</p>}
        <ul className="flex flex-col gap-1">
          {versions.data?.items.map((version) => (
            <li key={version.version}>
              <OneVersion
                version={version}
                isLive={version.version === item.version}
                isChosen={version.version === chosen}
                onChoose={() => choose(version.version)}
              />
            </li>
          ))}
        </ul>
        {chosen !== null && <Changes id={item.id} version={chosen} />}
      </div>
    </Dialog>
  );
}

type OneProps = { version: Version; isLive: boolean; isChosen: boolean; onChoose: () => void };

function OneVersion({ version, isLive, isChosen, onChoose }: OneProps) {
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={onChoose}
      className={cx(
        "flex w-full items-center gap-3 rounded-md border px-3 py-2 text-left text-sm",
        isChosen ? "border-accent bg-surface" : "border-line hover:bg-hover",
      )}
    >
      <span className="sr-only">{texts.versions.pick(version.version)}</span>
      <span className="font-medium">{texts.automations.version(version.version)}</span>
      {isLive && <Badge tone="good">{texts.versions.live}</Badge>}
      <span className="min-w-0 flex-1 truncate text-soft">{version.document.name}</span>
      <span className="text-xs text-soft">
        <Ago at={version.published_at} /> · {version.published_by}
      </span>
    </button>
  );
}

function Changes({ id, version }: { id: string; version: number }) {
  const diff = useQuery(diffQuery(id, version));
  return (
    <section className="flex flex-col gap-2">
      <h3 className="text-sm font-semibold">{texts.versions.changes(version)}</h3>
      {diff.error && <ErrorNote error={diff.error} />}
      {diff.isPending && <Skeleton className="h-5 w-72" />}
      {diff.data && <ChangeList changes={diff.data.changes} />}
    </section>
  );
}

function useRestore(item: AutomationItem, onDone: (restored: AutomationItem) => void) {
  const client = useQueryClient();
  const say = useSay();
  return useMutation({
    mutationFn: (version: number) => automations.restore(item.id, version, item.draft_revision),
    onSuccess: (restored, version) => {
      say.done(texts.versions.restored(version));
      onDone(restored);
      return client.invalidateQueries({ queryKey: ["automations"] });
    },
  });
}
