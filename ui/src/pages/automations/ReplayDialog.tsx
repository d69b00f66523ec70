import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { problemsOf } from "@/api/client";
import { type Foreseen, type ReplayWish, replays } from "@/api/replays";
import type { AutomationItem } from "@/api/types";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Field, TextInput } from "@/parts/Field";
import { ErrorNote } from "@/parts/Notes";
import { ProgressBar } from "@/parts/ProgressBar";
import { Switch } from "@/parts/Switch";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { ReplayList } from "./ReplayList";
import { type BadField, foresee, outlook, type Typed, usual, wishOf } from "./replay";

type Props = { item: AutomationItem; onClose: () => void };

/** Lets the live version act on events of the past: says first what that would start, and shows how far each replay is. */
export function ReplayDialog({ item, onClose }: Props) {
  const client = useQueryClient();
  const say = useSay();
  const [typed, setTyped] = useState<Typed>(() => usual(Date.now()));
  const [bad, setBad] = useState<BadField[]>([]);
  const preview = usePreview(item.id);
  const begin = useMutation({
    mutationFn: (wish: ReplayWish) => replays.begin(item.id, wish),
    onSuccess: () => {
      say.done(texts.replays.begun);
      preview.forget();
      return client.invalidateQueries({ queryKey: ["replays", item.id] });
    },
  });
  const change = (changed: Partial<Typed>) => {
    setTyped({ ...typed, ...changed });
    preview.forget();
    begin.reset();
  };
  const look = () => {
    const asked = wishOf(typed, Date.now());
    setBad(asked.bad ?? []);
    if (asked.wish) void preview.start(asked.wish);
  };
  const { told, wish } = preview;
  const runs = told && wish && !preview.isGoing ? outlook(told.counts, wish).runs : 0;
  const error = begin.error ?? preview.error;
  return (
    <Dialog
      title={texts.replays.title(item.name)}
      description={texts.replays.lead(item.version ?? 1)}
      size="lg"
      light={false}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{texts.actions.close}</Button>
          {preview.isGoing ? (
            <Button onClick={preview.stop}>{texts.backtest.stop}</Button>
          ) : runs > 0 && wish ? (
            <Button look="primary" busy={begin.isPending} onClick={() => begin.mutate(wish)}>
              {texts.replays.start(runs)}
            </Button>
          ) : (
            <Button look="primary" onClick={look}>
              {texts.replays.look}
            </Button>
          )}
        </>
      }
    >
      <div className="flex flex-col gap-5 p-5">
        <WishForm typed={typed} bad={bad} error={error} onChange={change} />
        {error !== null && problemsOf(error).length === 0 && <ErrorNote error={error} />}
        {told && wish && <Told told={told} wish={wish} isGoing={preview.isGoing} />}
        <ReplayList id={item.id} />
      </div>
    </Dialog>
  );
}

type FormProps = { typed: Typed; bad: BadField[]; error: unknown; onChange: (changed: Partial<Typed>) => void };

function WishForm({ typed, bad, error, onChange }: FormProps) {
  const problem = (path: string) => problemsOf(error).find((one) => one.path.startsWith(path))?.message;
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field
        label={texts.replays.from}
        error={bad.includes("since") ? texts.replays.badWindow : problem("since")}
        required
      >
        {(control) => (
          <TextInput
            {...control}
            type="datetime-local"
            value={typed.since}
            onChange={(event) => onChange({ since: event.target.value })}
          />
        )}
      </Field>
      <Field
        label={texts.replays.until}
        error={bad.includes("until") ? texts.replays.badWindow : problem("until")}
        required
      >
        {(control) => (
          <TextInput
            {...control}
            type="datetime-local"
            value={typed.until}
            onChange={(event) => onChange({ until: event.target.value })}
          />
        )}
      </Field>
      <Field label={texts.replays.perMinute} hint={texts.replays.perMinuteHint} error={problem("per_minute")} required>
        {(control) => (
          <TextInput
            {...control}
            type="number"
            min={1}
            max={6000}
            value={typed.perMinute}
            onChange={(event) => onChange({ perMinute: event.target.value })}
          />
        )}
      </Field>
      <Field label={texts.replays.limit} hint={texts.replays.limitHint} error={problem("limit")}>
        {(control) => (
          <TextInput
            {...control}
            type="number"
            min={1}
            value={typed.limit}
            onChange={(event) => onChange({ limit: event.target.value })}
          />
        )}
      </Field>
      <Field
        label={texts.replays.entity}
        hint={texts.replays.entityHint}
        error={bad.includes("entity") ? texts.replays.badEntity : problem("entity")}
      >
        {(control) => (
          <TextInput {...control} value={typed.entity} onChange={(event) => onChange({ entity: event.target.value })} />
        )}
      </Field>
      <div className="flex items-center gap-2.5 pt-5 text-sm">
        <Switch label={texts.replays.dropped} checked={typed.dropped} onChange={(dropped) => onChange({ dropped })} />
        <span aria-hidden>{texts.replays.dropped}</span>
      </div>
    </div>
  );
}

/** What it would start, and what became of the other events. */
function Told({ told, wish, isGoing }: { told: Foreseen; wish: ReplayWish; isGoing: boolean }) {
  const { events, of } = told.progress;
  if (of === 0) return <p className="text-sm text-soft">{texts.replays.none}</p>;
  const { runs, minutes } = outlook(told.counts, wish);
  const others = Object.entries(told.counts).filter(([name, count]) => name !== "started" && count > 0);
  return (
    <section className="flex flex-col gap-2 rounded-lg border border-line bg-surface p-3.5">
      {isGoing && <ProgressBar value={events} max={of} text={texts.replays.looking(events, of)} />}
      <div role="status">
        <p className="text-base font-semibold">{texts.replays.would(runs)}</p>
        {runs > 0 && (
          <p className="text-sm text-soft">
            {texts.replays.lasts(minutes)} {texts.replays.effects}
          </p>
        )}
      </div>
      <p className="flex flex-wrap gap-x-3 text-xs text-faint">
        <span>{texts.replays.looking(events, of)}</span>
        {others.map(([name, count]) => (
          <span key={name}>
            {texts.replays.counts[name] ?? name}: <span className="tabular-nums">{count.toLocaleString()}</span>
          </span>
        ))}
      </p>
    </section>
  );
}

function usePreview(id: string) {
  const [told, setTold] = useState<Foreseen | null>(null);
  const [wish, setWish] = useState<ReplayWish | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [isGoing, setGoing] = useState(false);
  const stop = useRef(new AbortController());
  useEffect(() => () => stop.current.abort(), []);
  const forget = () => {
    stop.current.abort();
    setTold(null);
    setError(null);
    setGoing(false);
  };
  const start = async (asked: ReplayWish) => {
    forget();
    const own = new AbortController();
    stop.current = own;
    setWish(asked);
    setGoing(true);
    try {
      await foresee(setTold, own.signal, (cursor) => replays.look(id, asked, cursor));
    } catch (failed) {
      if (!own.signal.aborted) setError(failed);
    }
    if (stop.current === own) setGoing(false);
  };
  return { told, wish, error, isGoing, start, stop: forget, forget };
}
