import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { type Replay, replays, replaysQuery } from "@/api/replays";
import { Button } from "@/parts/Button";
import { Confirm } from "@/parts/Confirm";
import { exact } from "@/parts/instants";
import { ErrorNote } from "@/parts/Notes";
import { ProgressBar } from "@/parts/ProgressBar";
import { Badge } from "@/parts/Status";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";

/** The replays of an automation: how far each is, and what can be done to it. */
export function ReplayList({ id }: { id: string }) {
  const list = useQuery(replaysQuery(id));
  return (
    <section aria-label={texts.replays.before} className="flex flex-col gap-2">
      <h3 className="text-sm font-semibold">{texts.replays.before}</h3>
      {list.error && <ErrorNote error={list.error} onRetry={() => list.refetch()} />}
      {list.data?.items.length === 0 && <p className="text-sm text-soft">{texts.replays.noneYet}</p>}
      <ul className="flex flex-col gap-2">
        {list.data?.items.map((replay) => (
          <OneReplay key={replay.id} id={id} replay={replay} />
        ))}
      </ul>
    </section>
  );
}

type Action = "pause" | "resume" | "cancel";

const tones = { running: "info", paused: "warn", completed: "good", cancelled: "idle" } as const;

function OneReplay({ id, replay }: { id: string; replay: Replay }) {
  const client = useQueryClient();
  const say = useSay();
  const [isAsked, ask] = useState(false);
  const act = useMutation({
    mutationFn: (action: Action) => replays.act(id, replay.id ?? "", action),
    onSettled: () => {
      ask(false);
      return client.invalidateQueries({ queryKey: ["replays", id] });
    },
    onError: (error) => say.failed(texts.errors.action("change the replay"), error),
  });
  const { status, counts, progress } = replay;
  const isOpen = status === "running" || status === "paused";
  return (
    <li className="flex flex-col gap-2 rounded-lg border border-line bg-surface p-3 text-sm">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        {status && <Badge tone={tones[status]}>{texts.replays.status[status]}</Badge>}
        <span className="font-medium">{texts.replays.startedSoFar(counts.started)}</span>
        <span className="text-soft">{texts.replays.window(exact(replay.since), exact(replay.until))}</span>
        <span className="text-xs text-faint">{texts.replays.pace(replay.per_minute)}</span>
      </div>
      {isOpen && (
        <ProgressBar
          value={progress.events}
          max={Math.max(1, progress.of)}
          text={texts.replays.looking(progress.events, progress.of)}
        />
      )}
      {replay.reason && <p className="text-xs text-warn">{replay.reason}</p>}
      <div className="flex flex-wrap items-center gap-2">
        <Link
          to="/runs"
          search={{ replay: replay.id ?? undefined }}
          className="text-xs font-medium text-accent-text hover:underline"
        >
          {texts.replays.seeRuns}
        </Link>
        {isOpen && (
          <span className="ml-auto flex gap-2">
            <Button
              size="sm"
              busy={act.isPending && !isAsked}
              onClick={() => act.mutate(status === "paused" ? "resume" : "pause")}
            >
              {status === "paused" ? texts.replays.act.resume : texts.replays.act.pause}
            </Button>
            <Button size="sm" look="danger" onClick={() => ask(true)}>
              {texts.replays.act.cancel}
            </Button>
          </span>
        )}
      </div>
      {isAsked && (
        <Confirm
          title={texts.replays.cancelTitle}
          confirm={texts.replays.act.cancel}
          cancel={texts.actions.close}
          danger
          busy={act.isPending}
          onCancel={() => ask(false)}
          onConfirm={() => act.mutate("cancel")}
        >
          {texts.replays.cancelHelp}
        </Confirm>
      )}
    </li>
  );
}
