import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type BulkAction, bulkCountQuery, letters } from "@/api/dead-letters";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { ErrorNote, Skeleton } from "@/parts/Notes";
import { ProgressBar } from "@/parts/ProgressBar";
import { useSay } from "@/parts/Toasts";
import { useBatches } from "@/parts/useBatches";
import { texts } from "@/texts";
import { ReasonField } from "./ReasonField";

type Props = { fingerprint: string; action: BulkAction; onClose: () => void };

/** Says how many there are, and does it only then. */
export function BulkDialog({ fingerprint, action, onClose }: Props) {
  const [reason, setReason] = useState("");
  const found = useQuery(bulkCountQuery(fingerprint, action));
  const say = useSay();
  const work = useBatches(["letters"], ({ done, refused }) => {
    say.done(texts.letters.bulkDone(done, refused));
    onClose();
  });
  const { progress } = work;
  const count = found.data?.count ?? 0;
  const begin = () => {
    if (!found.data) return;
    const { until } = found.data;
    const said = action === "discard" ? reason.trim() : undefined;
    work.start(count, (after) => letters.bulk({ fingerprint, action, reason: said, until, dry_run: false, after }));
  };
  /** Stops the work, if there is any, after the batch that is under way; else closes. */
  const close = () => (work.isPending ? work.stop() : onClose());
  return (
    <Dialog
      title={texts.letters.bulkTitle[action]}
      size="sm"
      light={false}
      focusField
      onClose={close}
      footer={
        <>
          <Button onClick={close}>{work.isPending ? texts.letters.stop : texts.actions.cancel}</Button>
          <Button
            look={action === "discard" ? "danger" : "primary"}
            busy={work.isPending}
            disabled={count === 0 || (action === "discard" && !reason.trim())}
            onClick={begin}
          >
            {texts.letters.bulkGo[action](count)}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5 text-sm">
        {(found.error || work.error) && (
          <ErrorNote what={texts.errors.action(`${action} them`)} error={work.error ?? found.error} />
        )}
        {found.isPending ? (
          <Skeleton className="h-5 w-56" />
        ) : (
          <p className="font-medium">{count > 0 ? texts.letters.bulkCount(count) : texts.letters.bulkNone}</p>
        )}
        {action === "retry" ? (
          <p className="text-soft">{texts.letters.bulkRetryHelp}</p>
        ) : (
          <ReasonField value={reason} onChange={setReason} />
        )}
        {progress && (
          <ProgressBar
            value={progress.done + progress.refused}
            max={progress.all}
            text={texts.letters.bulkProgress(progress.done + progress.refused, progress.all)}
          />
        )}
      </div>
    </Dialog>
  );
}
