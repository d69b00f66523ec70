import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { automations } from "@/api/automations";
import type { Imported } from "@/api/types";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { FieldError, TextArea } from "@/parts/Field";
import { readJson } from "@/parts/json";
import { ErrorNote, ProblemLines } from "@/parts/Notes";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";

/** Imports documents of any understood shape: first shows what they become, then keeps them. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const say = useSay();
  const [text, setText] = useState("");
  const read = readJson(text);
  const check = useMutation({ mutationFn: (given: unknown) => automations.import(given, true) });
  const keep = useMutation({
    mutationFn: (given: unknown) => automations.import(given, false),
    onSuccess: (done) => {
      say.done(texts.automations.imported(done.automations.length));
      onClose();
      return client.invalidateQueries({ queryKey: ["automations"] });
    },
  });
  const found = check.data?.automations;
  const ready = found && found.length > 0 && found.every((one) => one.problems.length === 0);
  const change = (next: string) => {
    setText(next);
    check.reset();
  };
  return (
    <Dialog
      title={texts.automations.importTitle}
      description={texts.automations.importLead}
      size="lg"
      focusField
      light={false}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.cancel}</Button>
          {ready ? (
            <Button look="primary" busy={keep.isPending} onClick={() => keep.mutate(read.value)}>
              {texts.automations.importKeep(found.length)}
            </Button>
          ) : (
            <Button
              look="primary"
              busy={check.isPending}
              disabled={read.error !== null}
              onClick={() => check.mutate(read.value)}
            >
              {texts.automations.importCheck}
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5">
        <FilePick onText={change} />
        <TextArea
          aria-label={texts.automations.importText}
          rows={10}
          spellCheck={false}
          className="code"
          value={text}
          onChange={(event) => change(event.target.value)}
        />
        {text.trim() && read.error && <FieldError>{read.error}</FieldError>}
        {(check.error ?? keep.error) && <ErrorNote error={check.error ?? keep.error} />}
        {found?.map((one, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the place in the import is the identity
          <Found key={index} found={one} />
        ))}
      </div>
    </Dialog>
  );
}

function FilePick({ onText }: { onText: (text: string) => void }) {
  return (
    <label className="flex w-fit flex-col gap-1.5 text-sm font-medium">
      {texts.automations.importFile}
      <input
        type="file"
        accept="application/json,.json"
        className="text-sm font-normal text-soft file:mr-3 file:h-8 file:cursor-pointer file:rounded-md file:border file:border-line-strong file:bg-surface file:px-3 file:text-sm file:font-medium file:text-ink"
        onChange={(event) => void event.target.files?.[0]?.text().then(onText)}
      />
    </label>
  );
}

/** One document: what it became and how it was understood, or what is wrong with it. */
function Found({ found }: { found: Imported }) {
  const bad = found.problems.length > 0;
  return (
    <section className={bad ? "rounded-lg bg-bad-wash p-3 text-bad" : "rounded-lg bg-good-wash p-3"}>
      <h3 className="flex items-center gap-2 font-semibold">
        {bad ? <TriangleAlert size={15} aria-hidden /> : <CircleCheck size={15} aria-hidden className="text-good" />}
        {found.document?.name || texts.automations.importUntitled}
        <span className="font-normal">
          {bad ? texts.automations.importBad(found.problems.length) : texts.automations.importGood}
        </span>
      </h3>
      {bad && <ProblemLines problems={found.problems} />}
      {found.notes.length > 0 && (
        <ul className="mt-1.5 flex flex-col gap-0.5 text-xs text-soft">
          {found.notes.map((note) => (
            <li key={`${note.path}${note.message}`}>
              <code className="code">{note.path}</code> {note.message}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
