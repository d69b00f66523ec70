import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type LetterDetail, letters } from "@/api/dead-letters";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { ErrorNote } from "@/parts/Notes";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { ReasonField } from "./ReasonField";

/** Closes a letter for a reason. */
export function DiscardDialog({ letter, onClose }: { letter: LetterDetail; onClose: () => void }) {
  const [reason, setReason] = useState("");
  const client = useQueryClient();
  const say = useSay();
  const discard = useMutation({
    mutationFn: () => letters.discard(letter.id, reason.trim()),
    onSuccess: () => {
      say.done(texts.letters.discarded);
      onClose();
    },
    onSettled: () => void client.invalidateQueries({ queryKey: ["letters"] }),
  });
  return (
    <Dialog
      title={texts.letters.discardTitle}
      description={texts.letters.discardHelp}
      size="sm"
      light={false}
      focusField
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.cancel}</Button>
          <Button look="danger" busy={discard.isPending} disabled={!reason.trim()} onClick={() => discard.mutate()}>
            {texts.letters.discard}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-3 p-5">
        {discard.error && <ErrorNote what={texts.errors.action("discard it")} error={discard.error} />}
        <ReasonField value={reason} onChange={setReason} />
      </div>
    </Dialog>
  );
}
