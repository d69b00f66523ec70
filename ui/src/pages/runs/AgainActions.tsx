import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { RefreshCcw, SkipForward } from "lucide-react";
import { useState } from "react";
import { type RerunRequest, rerunQuery, runs } from "@/api/runs";
import type { RunDetail } from "@/api/types";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Field, FieldError, Select, TextArea } from "@/parts/Field";
import { readJson } from "@/parts/json";
import { ErrorNote } from "@/parts/Notes";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { isOver, named, stepsToSkip, stepWords } from "./actions";

/** Going past the step where a run stands, and running again what is over. */
export function AgainActions({ run }: { run: RunDetail }) {
  const [opened, open] = useState<"skip" | "rerun" | null>(null);
  const steps = stepsToSkip(run);
  return (
    <>
      {steps.length > 0 && (
        <Button icon={<SkipForward size={14} />} onClick={() => open("skip")}>
          {texts.runs.skip}
        </Button>
      )}
      {isOver(run) && (
        <Button icon={<RefreshCcw size={14} />} onClick={() => open("rerun")}>
          {texts.runs.rerun}
        </Button>
      )}
      {opened === "skip" && steps[0] && (
        <SkipDialog run={run} steps={steps} first={steps[0]} onClose={() => open(null)} />
      )}
      {opened === "rerun" && <RerunDialog run={run} onClose={() => open(null)} />}
    </>
  );
}

function SkipDialog(props: { run: RunDetail; steps: string[]; first: string; onClose: () => void }) {
  const { run, steps, first, onClose } = props;
  const [step, choose] = useState(first);
  const client = useQueryClient();
  const say = useSay();
  const [text, setText] = useState("null");
  const read = readJson(text);
  const skip = useMutation({
    mutationFn: () => runs.skip(run.id, step, read.value),
    onSuccess: () => {
      say.done(texts.runs.skippedStep);
      onClose();
      return client.invalidateQueries({ queryKey: ["runs"] });
    },
  });
  return (
    <Dialog
      title={texts.runs.skipTitle(step)}
      size="sm"
      light={false}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.cancel}</Button>
          <Button look="primary" busy={skip.isPending} disabled={read.error !== null} onClick={() => skip.mutate()}>
            {texts.runs.skip}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5 text-sm">
        <p className="text-soft">{texts.runs.skipHelp}</p>
        {steps.length > 1 && (
          <Field label={texts.runs.skipWhich}>
            {(field) => (
              <Select {...field} value={step} onChange={(event) => choose(event.target.value)}>
                {steps.map((one) => (
                  <option key={one} value={one}>
                    {one}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        )}
        <Field label={texts.runs.skipOutput}>
          {(field) => (
            <TextArea
              {...field}
              rows={4}
              spellCheck={false}
              className="code"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          )}
        </Field>
        {read.error && <FieldError>{read.error}</FieldError>}
        {skip.error && <ErrorNote error={skip.error} />}
      </div>
    </Dialog>
  );
}

function RerunDialog({ run, onClose }: { run: RunDetail; onClose: () => void }) {
  const navigate = useNavigate();
  const say = useSay();
  const [from, setFrom] = useState("");
  const [version, setVersion] = useState<RerunRequest["version"]>("current");
  const asked = { version, ...(from ? { from_step: from } : {}) };
  const preview = useQuery({ ...rerunQuery(run.id, { ...asked, dry_run: true }), retry: false });
  const rerun = useMutation({
    mutationFn: () => runs.rerun(run.id, { ...asked, dry_run: false }),
    onSuccess: (made) => {
      say.done(texts.runs.rerunStarted);
      onClose();
      if (made.run_id) void navigate({ to: "/runs/$id", params: { id: made.run_id } });
    },
  });
  return (
    <Dialog
      title={texts.runs.rerunTitle}
      size="sm"
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.cancel}</Button>
          <Button look="primary" busy={rerun.isPending} disabled={!preview.data} onClick={() => rerun.mutate()}>
            {texts.runs.rerun}
          </Button>
        </>
      }
    >
      <div className="flex flex-col gap-4 p-5 text-sm">
        <p className="text-soft">{texts.runs.rerunHelp}</p>
        <Field label={texts.runs.rerunFrom}>
          {(field) => (
            <Select {...field} value={from} onChange={(event) => setFrom(event.target.value)}>
              <option value="">{texts.runs.rerunBeginning}</option>
              {run.steps
                .filter((step) => step.attempts.length > 0)
                .map((step) => (
                  <option key={step.id} value={step.id}>
                    {stepWords(step.id)}
                  </option>
                ))}
            </Select>
          )}
        </Field>
        <Field label={texts.runs.rerunVersion}>
          {(field) => (
            <Select
              {...field}
              value={version}
              onChange={(event) => setVersion(event.target.value as RerunRequest["version"])}
            >
              <option value="current">{texts.runs.rerunVersions.current}</option>
              <option value="same">{texts.runs.rerunVersions.same}</option>
            </Select>
          )}
        </Field>
        <div role="status">
          {preview.data && (
            <>
              <p className="font-medium">{texts.runs.rerunRepeats(named(preview.data.repeats))}</p>
              {preview.data.kept.length > 0 && (
                <p className="text-soft">{texts.runs.rerunKept(named(preview.data.kept))}</p>
              )}
            </>
          )}
        </div>
        {(rerun.error ?? preview.error) && <ErrorNote error={rerun.error ?? preview.error} />}
      </div>
    </Dialog>
  );
}
