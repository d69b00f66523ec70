import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { automations, type ImportMode } from "@/api/automations";
import { statusOf } from "@/api/client";
import type { Imported, Json, JsonObject } from "@/api/types";
import { Button } from "@/parts/Button";
import { Choice } from "@/parts/Choice";
import { cx } from "@/parts/classes";
import { Dialog } from "@/parts/Dialog";
import { FieldError, TextArea } from "@/parts/Field";
import { readJson } from "@/parts/json";
import { ErrorNote, ProblemLines } from "@/parts/Notes";
import { Badge } from "@/parts/Status";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { ChangeList } from "./ChangeList";

/** Imports documents of any understood shape: first shows what they become, then keeps them. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const say = useSay();
  const [text, setText] = useState("");
  const [mode, setMode] = useState<ImportMode>("update");
  const read = readJson(text);
  const check = useMutation({
    mutationFn: (asked: { given: unknown; mode: ImportMode }) => automations.check(asked.given, asked.mode),
  });
  const keep = useMutation({
    mutationFn: ({ given, revision }: { given: unknown; revision: number }) =>
      automations.import(given, mode, revision),
    onSuccess: (done) => {
      say.done(texts.automations.imported(done.automations.length));
      onClose();
      return client.invalidateQueries({ queryKey: ["automations"] });
    },
    onError: (error, { given }) => (isStale(error) ? check.mutate({ given, mode }) : check.reset()),
  });
  const found = check.data?.automations;
  const ready = found && found.length > 0 && found.every((one) => one.problems.length === 0);
  const change = (next: string) => {
    setText(next);
    check.reset();
    keep.reset();
  };
  const look = (mode: ImportMode) => {
    keep.reset();
    check.mutate({ given: read.value, mode });
  };
  const choose = (next: ImportMode) => {
    setMode(next);
    if (check.data && read.error === null) look(next);
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
          {ready && check.data ? (
            <Button
              look="primary"
              busy={keep.isPending || check.isPending}
              onClick={() => keep.mutate({ given: read.value, revision: check.data.revision })}
            >
              {texts.automations.importKeep(found.length)}
            </Button>
          ) : (
            <Button look="primary" busy={check.isPending} disabled={read.error !== null} onClick={() => look(mode)}>
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
        <Choice
          label={texts.automations.importMode}
          value={mode}
          choices={MODES.map((value) => ({ value, ...texts.automations.importModes[value] }))}
          onChange={choose}
        />
        {isStale(keep.error) && !check.error ? (
          <p role="alert" className="rounded-lg bg-warn-wash px-3.5 py-2.5 text-sm text-warn">
            {texts.automations.importStale}
          </p>
        ) : (
          (check.error ?? keep.error) && <ErrorNote error={check.error ?? keep.error} />
        )}
        {ready && (
          <p role="status" className="text-sm font-medium">
            {whatHappens(found, mode)}
          </p>
        )}
        {found?.map((one, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the place in the import is the identity
          <Found key={index} found={one} name={one.document?.name ?? givenName(read.value, index)} />
        ))}
      </div>
    </Dialog>
  );
}

const MODES: ImportMode[] = ["update", "copy"];
const isStale = (error: unknown) => statusOf(error) === 412;

/** What importing does, in one sentence. */
function whatHappens(found: Imported[], mode: ImportMode): string {
  const count = (state: Imported["state"]) => found.filter((one) => one.state === state).length;
  if (mode === "copy") return texts.automations.importCopies(found.length);
  const { new: made, changed, same } = texts.automations.importDoes;
  const parts = [made(count("new")), changed(count("changed")), same(count("same"))];
  return texts.automations.importWill(parts.filter((part) => part !== ""));
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

/** What the document at this place calls itself, also when it could not be understood. */
function givenName(given: Json, at: number): string {
  const listed = Array.isArray(given)
    ? given
    : isObject(given) && Array.isArray(given.automations)
      ? given.automations
      : [given];
  const one = listed[at];
  return (isObject(one) && typeof one.name === "string" && one.name) || texts.automations.importUntitled;
}

const isObject = (value: Json | undefined): value is JsonObject =>
  value !== null && typeof value === "object" && !Array.isArray(value);

/** One document: what it became, how it was understood and what it changes; or what is wrong with it. */
function Found({ found, name }: { found: Imported; name: string }) {
  const bad = found.problems.length > 0;
  return (
    <section
      aria-label={name}
      className={cx("flex flex-col gap-1.5 rounded-lg p-3", bad ? "bg-bad-wash text-bad" : "bg-good-wash")}
    >
      <h3 className="flex flex-wrap items-center gap-2 font-semibold">
        {bad ? <TriangleAlert size={15} aria-hidden /> : <CircleCheck size={15} aria-hidden className="text-good" />}
        {name}
        {bad ? (
          <span className="font-normal">{texts.automations.importBad(found.problems.length)}</span>
        ) : (
          <Badge tone={found.state === "changed" ? "warn" : "idle"}>{states[found.state]}</Badge>
        )}
        {found.document?.status === "active" && <Badge tone="good">{texts.automations.importActive}</Badge>}
      </h3>
      {bad && <ProblemLines problems={found.problems} />}
      {found.warnings.length > 0 && (
        <div className="text-sm text-warn">
          <h4 className="font-medium">{texts.automations.importMind}</h4>
          <ProblemLines problems={found.warnings.map((warning) => ({ ...warning, code: "warning" }))} />
        </div>
      )}
      {found.state === "changed" && <p className="text-sm text-soft">{texts.automations.importBeside}</p>}
      {found.changes.length > 0 && (
        <div className="text-sm">
          <h4 className="mb-1 font-medium">{texts.automations.importDiffers}</h4>
          <ChangeList changes={found.changes} />
        </div>
      )}
      {found.notes.length > 0 && (
        <ul className="flex flex-col gap-0.5 text-xs text-soft">
          {found.notes.map((note) => (
            <li key={`${note.path}${note.message}`} className="[overflow-wrap:anywhere]">
              <code className="code">{note.path}</code> {note.message}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const states: Record<Imported["state"], string> = {
  new: texts.automations.importNew,
  same: texts.automations.importSame,
  changed: texts.automations.importChanged,
};
