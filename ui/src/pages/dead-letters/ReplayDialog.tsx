import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { problemsOf } from "@/api/client";
import { type LetterDetail, letters } from "@/api/dead-letters";
import type { Json, JsonObject } from "@/api/types";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Field, TextInput } from "@/parts/Field";
import { JsonEditor } from "@/parts/JsonEditor";
import { ErrorNote } from "@/parts/Notes";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";

/** Lets it happen anew, with data that a person corrected. */
export function ReplayDialog({ letter, onClose }: { letter: LetterDetail; onClose: () => void }) {
  const [data, setData] = useState<Json>(letter.data ?? {});
  const [name, setName] = useState(letter.event?.name ?? "");
  const [valid, setValid] = useState(true);
  const replay = useReplay(letter, onClose);
  const isRun = letter.kind === "run";
  return (
    <Dialog
      title={texts.letters.replayTitle}
      description={isRun ? texts.letters.replayRunHelp : texts.letters.replayHelp}
      light={false}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.cancel}</Button>
          <Button
            look="primary"
            busy={replay.isPending}
            disabled={!valid || (!isRun && !name.trim())}
            onClick={() => replay.mutate({ data: data as JsonObject, name: isRun ? undefined : name.trim() })}
          >
            {texts.letters.replaySend}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5">
        {replay.error && <ErrorNote what={texts.emit.refused} error={replay.error} />}
        {!isRun && (
          <Field
            label={texts.letters.replayName}
            required
            error={problemsOf(replay.error).find((one) => one.path === "name")?.message}
          >
            {(control) => <TextInput {...control} value={name} onChange={(event) => setName(event.target.value)} />}
          </Field>
        )}
        <JsonEditor label={texts.letters.data} rows={16} value={data} onValid={setValid} onChange={setData} />
      </div>
    </Dialog>
  );
}

function useReplay(letter: LetterDetail, onClose: () => void) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const say = useSay();
  return useMutation({
    mutationFn: (body: { data: JsonObject; name?: string }) => letters.replay(letter.id, body),
    onSuccess: ({ event_id, run_id }) => {
      const see = run_id
        ? () => void navigate({ to: "/runs/$id", params: { id: run_id } })
        : () => void navigate({ to: "/events/$id", params: { id: event_id } });
      say.done(texts.letters.replayed, { label: texts.letters.see, run: see });
      onClose();
    },
    onSettled: () => void client.invalidateQueries({ queryKey: ["letters"] }),
  });
}
