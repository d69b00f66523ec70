import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { automationNamesQuery } from "@/api/automations";
import { type BulkAction, type RunFilter, runs } from "@/api/runs";
import { Button } from "@/parts/Button";
import { Choice } from "@/parts/Choice";
import { Dialog } from "@/parts/Dialog";
import { readJson } from "@/parts/json";
import { ErrorNote, Skeleton } from "@/parts/Notes";
import { ProgressBar } from "@/parts/ProgressBar";
import { useSay } from "@/parts/Toasts";
import { useBatches } from "@/parts/useBatches";
import { useDebounced } from "@/parts/useDebounced";
import { texts } from "@/texts";
import { BulkFields, optionsOf, untouched, WhatRepeats } from "./BulkOptions";
import { useForeseen } from "./useForeseen";

const ACTIONS: BulkAction[] = ["pause", "resume", "retry", "skip", "rerun", "cancel"];
const TYPING_MILLISECONDS = 400;

type Props = { filter: RunFilter /** The filter, as a person reads it. */; named: string; onClose: () => void };

/** Does one thing to all runs that the filter names: says how many those are and what happens again, and does it only then. */
export function BulkRunsDialog({ filter, named, onClose }: Props) {
  const [action, choose] = useState<BulkAction>(
    filter.status === "failed" ? "retry" : filter.status === "paused" ? "resume" : "pause",
  );
  const [typed, setTyped] = useState(untouched);
  const settled = useDebounced(typed, TYPING_MILLISECONDS);
  const jsonError = action === "skip" ? readJson(typed.output).error : null;
  // What is skipped, and what stands in its place, does not change how many runs there are.
  const found = useForeseen(action, filter, action === "rerun" ? optionsOf(action, settled) : {});
  const names = useQuery(automationNamesQuery).data?.items;
  const nameOf = (id: string) => names?.find((one) => one.id === id)?.name ?? id;
  const say = useSay();
  const work = useBatches(["runs"], ({ done, refused }) => {
    say.done(texts.runs.bulk.done(done, refused));
    onClose();
  });
  const { told } = found;
  const count = told ? told.count - told.refused : 0;
  const isSettled = action !== "rerun" || settled === typed;
  const close = () => (work.isPending ? work.stop() : onClose());
  const begin = () => {
    if (!told || jsonError) return;
    const options = optionsOf(action, typed);
    const { until } = told;
    work.start(told.count, (after) => runs.bulk({ action, filter, ...options, until, after, dry_run: false }));
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
            disabled={count === 0 || !isSettled || found.isLooking || jsonError !== null}
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
            help: value === action ? helpOf(value) : undefined,
          }))}
          onChange={choose}
        />
        <BulkFields action={action} typed={typed} jsonError={jsonError} onChange={setTyped} />
        {!isSettled || (!told && !found.error) ? (
          <Skeleton className="h-5 w-56" />
        ) : (
          told && (
            <>
              <Looking found={found} all={told.count} />
              {!found.isLooking && (
                <div role="status" className="flex flex-col gap-2">
                  <p className="font-medium">{count > 0 ? texts.runs.bulk.count(count) : texts.runs.bulk.none}</p>
                  {action === "rerun" && <WhatRepeats told={told} nameOf={nameOf} />}
                </div>
              )}
            </>
          )
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

/** How far the look at what would happen is, with a way to stop it, and to go on. */
function Looking({ found, all }: { found: ReturnType<typeof useForeseen>; all: number }) {
  if (found.isWhole) return null;
  const words = found.isLooking ? texts.runs.bulk.looking : texts.runs.bulk.partly;
  return (
    <div className="flex flex-col items-start gap-2">
      {found.isLooking ? (
        <div className="w-full">
          <ProgressBar value={found.seen} max={all} text={words(found.seen, all)} />
        </div>
      ) : (
        <p className="text-warn">{words(found.seen, all)}</p>
      )}
      <Button size="sm" onClick={found.isLooking ? found.stop : found.goOn}>
        {found.isLooking ? texts.runs.bulk.stopLooking : texts.runs.bulk.lookOn}
      </Button>
    </div>
  );
}

function helpOf(action: BulkAction): string {
  if (action === "skip") return texts.runs.bulk.skipHelp;
  return action === "rerun" ? texts.runs.rerunHelp : texts.runs.help[action];
}
