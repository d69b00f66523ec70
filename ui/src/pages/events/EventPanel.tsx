import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { RotateCw, Workflow } from "lucide-react";
import type { ReactNode } from "react";
import { eventQuery } from "@/api/events";
import type { EventDetail } from "@/api/types";
import { apiRoot } from "@/base";
import { EntityLink, RunsTable } from "@/pages/runs/RunsTable";
import { Button, buttonClass } from "@/parts/Button";
import { CopyButton, CopyIconButton } from "@/parts/Copy";
import { Dialog } from "@/parts/Dialog";
import { JsonView } from "@/parts/JsonView";
import { ErrorNote, ProblemLines, SkeletonRows } from "@/parts/Notes";
import { Badge } from "@/parts/Status";
import { Exact } from "@/parts/Time";
import { texts } from "@/texts";
import { curlOf } from "./curl";
import { Explained } from "./Explained";

export function EventPanel() {
  const { id } = useParams({ from: "/events/$id" });
  const search = useSearch({ from: "/events" });
  const navigate = useNavigate();
  const event = useQuery(eventQuery(id));
  const close = () => void navigate({ to: "/events", search });
  return (
    <Dialog
      side
      title={event.data ? event.data.name : texts.events.title}
      description={event.data?.entity ? <EntityLink entity={event.data.entity} /> : undefined}
      onClose={close}
      footer={event.data && <Actions event={event.data} />}
    >
      {event.data ? (
        <Body event={event.data} />
      ) : event.error ? (
        <div className="p-5">
          <ErrorNote what={texts.errors.load("this event")} error={event.error} onRetry={() => event.refetch()} />
        </div>
      ) : (
        <SkeletonRows />
      )}
    </Dialog>
  );
}

function Actions({ event }: { event: EventDetail }) {
  const navigate = useNavigate();
  return (
    <>
      <Link
        to="/automations/new"
        search={{ event: event.name, sample: event.id }}
        className={`${buttonClass("quiet", "sm")} mr-auto`}
      >
        <Workflow size={13} aria-hidden />
        {texts.events.makeAutomation}
      </Link>
      <CopyButton text={curlOf(event, new URL(apiRoot, window.location.origin).href)}>{texts.events.curl}</CopyButton>
      <Button
        size="sm"
        icon={<RotateCw size={13} />}
        onClick={() => void navigate({ to: "/events", search: { emit: event.id } })}
      >
        {texts.events.again}
      </Button>
    </>
  );
}

function Body({ event }: { event: EventDetail }) {
  const marks = event.marks ?? [];
  return (
    <div className="flex flex-col gap-6 p-5">
      <dl className="grid grid-cols-[84px_minmax(0,1fr)] gap-x-3 gap-y-1.5">
        <Fact title={texts.events.happened}>
          <Exact at={event.ts} />
        </Fact>
        <Fact title={texts.events.accepted}>
          <Exact at={event.accepted_at} />
        </Fact>
        <Fact title={texts.events.id}>
          <span className="flex items-center gap-1">
            <code className="code truncate">{event.id}</code>
            <CopyIconButton text={event.id} />
            {event.test && <Badge tone="warn">{texts.events.test}</Badge>}
          </span>
        </Fact>
        {event.cause && (
          <Fact title={texts.events.causedBy}>
            <Link to="/runs/$id" params={{ id: event.cause.run_id }} className="text-accent-text hover:underline">
              {event.cause.step_id ?? event.cause.run_id}
            </Link>
          </Fact>
        )}
      </dl>
      {marks.length > 0 && (
        <div className="rounded-lg bg-bad-wash p-3 text-bad">
          <p className="font-semibold">{texts.events.marks}</p>
          <ProblemLines problems={marks} />
        </div>
      )}
      <section aria-label={texts.events.why}>
        <h3 className="eyebrow mb-2">{texts.events.why}</h3>
        <Explained event={event} />
      </section>
      {(event.cancelled_runs ?? []).length > 0 && (
        <section aria-label={texts.events.cancelled}>
          <h3 className="eyebrow mb-2">{texts.events.cancelled}</h3>
          <RunsTable runs={event.cancelled_runs ?? []} label={texts.events.cancelled} />
        </section>
      )}
      <section aria-label={texts.events.payload}>
        <h3 className="eyebrow mb-2">{texts.events.payload}</h3>
        <JsonView value={event.data} label={texts.events.payload} />
      </section>
    </div>
  );
}

function Fact({ title, children }: { title: string; children: ReactNode }) {
  return (
    <>
      <dt className="text-faint">{title}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}
