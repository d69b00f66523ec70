import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { bulkRunsQuery, type RunAction, type RunFilter, runs } from "@/api/runs";
import { Button } from "@/parts/Button";
import { Choice } from "@/parts/Choice";
import { Dialog } from "@/parts/Dialog";
import { ErrorNote, Skeleton } from "@/parts/Notes";
import { ProgressBar } from "@/parts/ProgressBar";
import { useSay } from "@/parts/Toasts";
import { useBatches } from "@/parts/useBatches";
import { texts } from "@/texts";

const ACTIONS: RunAction[] = ["pause", "resume", "retry", "cancel"];

type Props = { filter: RunFilter /** The filter, as a person reads it. */; named: string; onClose: () => void };

/** Pauses, resumes, retries or cancels all runs that the filter names: says how many those are, and does it only then. */
export function BulkRunsDialog({ filter, named, onClose }: Props) {
  const [action, choose] = useState<RunAction>(
    filter.status === "failed" ? "retry" : filter.status === "paused" ? "resume" : "pause",
  );
  const found = useQuery(bulkRunsQuery(action, filter));
  const say = useSay();
  const work = useBatches(["runs"], ({ done, refused }) => {
    say.done(texts.runs.bulk.done(done, refused));
    onClose();
  });
  const count = found.data?.count ?? 0;
  const close = () => (work.isPending ? work.stop() : onClose());
  const begin = () => {
    if (!found.data) return;
    const { until } = found.data;
    work.start(count, (after) => runs.bulk({ action, filter, until, after, dry_run: false }));
  };
  return (
    <Dialog
      title={texts.runs.bulk.title}
      description={named}
      size="sm"
      light={false}
      onClose={close}
      footer={
        <>
          <Button onClick={close}>{work.isPending ? texts.letters.stop : texts.actions.close}</Button>
          <Button
            look={action === "cancel" ? "danger" : "primary"}
            busy={work.isPending}
            disabled={count === 0}
            onClick={begin}
          >
            {texts.runs.bulk.go[action](count)}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5 text-sm">
        {(found.error || work.error) && <ErrorNote error={work.error ?? found.error} />}
        <Choice
          label={texts.runs.bulk.what}
          value={action}
          choices={ACTIONS.map((value) => ({
            value,
            title: texts.runs.bulk.actions[value],
            help: value === action ? texts.runs.help[value] : undefined,
          }))}
          onChange={choose}
        />
        {found.isPending ? (
          <Skeleton className="h-5 w-56" />
        ) : (
          <p role="status" className="font-medium">
            {count > 0 ? texts.runs.bulk.count(count) : texts.runs.bulk.none}
          </p>
        )}
        {work.progress && (
          <ProgressBar
            value={work.progress.done + work.progress.refused}
            max={work.progress.all}
            text={texts.letters.bulkProgress(work.progress.done + work.progress.refused, work.progress.all)}
          />
        )}
      </div>
    </Dialog>
  );
}
