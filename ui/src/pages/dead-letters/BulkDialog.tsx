import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { type BulkAction, bulkCountQuery, letters } from "@/api/dead-letters";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { ErrorNote, Skeleton } from "@/parts/Notes";
import { ProgressBar } from "@/parts/ProgressBar";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { actOnAll, type Progress } from "./bulk";
import { ReasonField } from "./ReasonField";

type Props = { fingerprint: string; action: BulkAction; onClose: () => void };

/** Says how many there are, and does it only then. */
export function BulkDialog({ fingerprint, action, onClose }: Props) {
  const [reason, setReason] = useState("");
  const [progress, setProgress] = useState<Progress | null>(null);
  const found = useQuery(bulkCountQuery(fingerprint, action));
  const work = useWork(onClose);
  const count = found.data?.count ?? 0;
  const begin = () => {
    if (!found.data) return;
    const said = action === "discard" ? reason.trim() : undefined;
    work.start({ fingerprint, action, reason: said, until: found.data.until, all: count }, setProgress);
  };
  return (
    <Dialog
      title={texts.letters.bulkTitle[action]}
      size="sm"
      light={false}
      focusField
      onClose={work.close}
      footer={
        <>
          <Button onClick={work.close}>{work.isPending ? texts.letters.stop : texts.actions.cancel}</Button>
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

type Order = Parameters<typeof actOnAll>[0];

function useWork(onClose: () => void) {
  const client = useQueryClient();
  const say = useSay();
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const work = useMutation({
    mutationFn: ({ order, tell }: { order: Order; tell: (progress: Progress) => void }) =>
      actOnAll(order, tell, stop.current.signal, letters.bulk),
    onSuccess: ({ done, refused }) => {
      say.done(texts.letters.bulkDone(done, refused));
      onClose();
    },
    onSettled: () => void client.invalidateQueries({ queryKey: ["letters"] }),
  });
  return {
    isPending: work.isPending,
    error: work.error,
    start: (order: Order, tell: (progress: Progress) => void) => {
      stop.current = new AbortController();
      work.mutate({ order, tell });
    },
    /** Stops the work, if there is any, after the batch that is under way; else closes. */
    close: () => {
      if (work.isPending) stop.current.abort();
      else onClose();
    },
  };
}
