import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { automations, toPublishQuery } from "@/api/automations";
import { statusOf } from "@/api/client";
import type { AutomationItem, Diff, PublishedItem, RunsInFlight } from "@/api/types";
import { Button } from "@/parts/Button";
import { Choice } from "@/parts/Choice";
import { Dialog } from "@/parts/Dialog";
import { ErrorNote, ProblemLines, Skeleton } from "@/parts/Notes";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { ChangeList } from "./ChangeList";

type Props = {
  /** The automation with its draft saved; one version of it at least was published. */
  item: AutomationItem;
  onClose: () => void;
  onPublished: () => void;
  /** Somebody saved since the draft was looked at: nothing was published. Without it the dialogue says so. */
  onStale?: () => void;
};

type InFlight = RunsInFlight["action"];

/** What publishing changes, in words, and what happens to the runs under way; what became of them when it is done. */
export function PublishDialog({ item, onClose, onPublished, onStale }: Props) {
  const [runs, choose] = useState<InFlight>("finish");
  const diff = useQuery(toPublishQuery(item.id));
  const say = useSay();
  const client = useQueryClient();
  const publish = useMutation({
    mutationFn: () => automations.publish(item.id, runs, item.draft_revision),
    onSuccess: (done) => {
      void client.invalidateQueries({ queryKey: ["automations"] });
      void client.invalidateQueries({ queryKey: ["runs"] });
      if (isTold(done.runs_in_flight)) return;
      say.done([texts.publishing.done(done.version), ...outcome(done.runs_in_flight)].join(" "));
      onPublished();
    },
    onError: (error) => {
      if (statusOf(error) !== 412 || !onStale) return;
      say.failed(texts.publishing.notDone, error);
      onStale();
    },
  });
  const done = publish.data && isTold(publish.data.runs_in_flight) ? publish.data : null;
  const count = diff.data ? total(onOthers(diff.data)) : 0;
  return (
    <Dialog
      title={texts.publishing.title(item.name)}
      description={texts.publishing.lead}
      onClose={done ? onPublished : onClose}
      light={false}
      footer={
        done ? (
          <>
            {done.runs_in_flight.under_way > 0 && (
              <Button busy={publish.isPending} onClick={() => publish.mutate()}>
                {texts.publishing.again}
              </Button>
            )}
            <Button look="primary" onClick={onPublished}>
              {texts.actions.close}
            </Button>
          </>
        ) : (
          <>
            <Button onClick={onClose}>{texts.actions.cancel}</Button>
            <Button
              look={runs === "cancel" && count > 0 ? "danger" : "primary"}
              busy={publish.isPending}
              disabled={!diff.data}
              onClick={() => publish.mutate()}
            >
              {runs === "cancel" && count > 0 ? texts.publishing.cancelling(count) : texts.publishing.publish}
            </Button>
          </>
        )
      }
    >
      <div className="flex flex-col gap-5 p-5">
        {publish.error && <ErrorNote error={publish.error} />}
        {diff.error && <ErrorNote error={diff.error} onRetry={() => diff.refetch()} />}
        {diff.isPending && <Skeleton className="h-16" />}
        {done ? <Done done={done} /> : diff.data && <Ahead {...{ item, runs, choose }} diff={diff.data} />}
      </div>
    </Dialog>
  );
}

type AheadProps = { item: AutomationItem; diff: Diff; runs: InFlight; choose: (runs: InFlight) => void };

function Ahead({ item, diff, runs, choose }: AheadProps) {
  const isSame = diff.changes.length === 0;
  const others = onOthers(diff);
  return (
    <>
      <Section title={texts.publishing.changes(diff.from ?? 1)}>
        {isSame ? (
          <p className="text-sm text-soft">{texts.publishing.nothing}</p>
        ) : (
          <ChangeList changes={diff.changes} />
        )}
      </Section>
      {item.warnings.length > 0 && (
        <section className="rounded-lg border border-warn/30 bg-warn-wash p-3 text-sm text-warn">
          <h3 className="flex items-center gap-2 font-semibold">
            <TriangleAlert size={14} aria-hidden />
            {texts.publishing.warnings}
          </h3>
          <ProblemLines problems={item.warnings.map((warning) => ({ ...warning, code: "warning" }))} />
        </section>
      )}
      <Section title={texts.publishing.inFlight}>
        {total(others) === 0 ? (
          <p className="text-sm text-soft">
            {diff.runs_in_flight === 0 ? texts.publishing.none : texts.publishing.stay(diff.runs_in_flight)}
          </p>
        ) : (
          <>
            <p className="text-sm text-soft">
              {texts.publishing.onVersions(
                total(others),
                others.map((one) => texts.publishing.onVersion(one.runs, one.version)).join(", "),
              )}
            </p>
            <Choice
              label={texts.publishing.inFlight}
              value={runs}
              choices={(["finish", "move", "cancel"] as const).map((value) => ({
                value,
                ...texts.publishing.choices[value],
              }))}
              onChange={choose}
            />
          </>
        )}
      </Section>
    </>
  );
}

/** The runs that are on another version than the one that is published, which is the last one when nothing changed. */
function onOthers(diff: Diff): Diff["in_flight"] {
  return diff.in_flight.filter((one) => diff.changes.length > 0 || one.version !== diff.from);
}

function total(flying: Diff["in_flight"]): number {
  return flying.reduce((sum, one) => sum + one.runs, 0);
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section aria-label={title} className="flex flex-col gap-2">
      <h3 className="text-sm font-semibold">{title}</h3>
      {children}
    </section>
  );
}

/** Whether there is something about these runs that a person should read before it goes away. */
function isTold(runs: RunsInFlight): boolean {
  return runs.under_way > 0 || (runs.action !== "finish" && runs.left > 0);
}

function outcome({ action, done }: RunsInFlight): string[] {
  if (done === 0) return [];
  return [action === "cancel" ? texts.publishing.cancelled(done) : texts.publishing.moved(done)];
}

function Done({ done }: { done: PublishedItem }) {
  const told = done.runs_in_flight;
  return (
    <div role="status" className="flex flex-col gap-2 text-sm">
      <p className="text-base font-semibold">{texts.publishing.done(done.version)}</p>
      {outcome(told).map((line) => (
        <p key={line}>{line}</p>
      ))}
      {told.under_way > 0 && <p>{texts.publishing.underWay(told.under_way)}</p>}
      {told.left > 0 && (
        <>
          <p>{texts.publishing.left(told.left)}</p>
          <ul className="flex flex-col gap-1">
            {told.reasons.map(({ id, reason }) => (
              <li key={id} className="[overflow-wrap:anywhere]">
                <Link to="/runs/$id" params={{ id }} className="code text-accent-text hover:underline">
                  {id}
                </Link>{" "}
                <span className="text-soft">{reason}</span>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}
