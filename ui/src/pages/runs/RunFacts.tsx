import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { RunDetail } from "@/api/types";
import { CopyIconButton } from "@/parts/Copy";
import { Card } from "@/parts/Page";
import { Exact } from "@/parts/Time";
import { texts } from "@/texts";
import { EntityLink } from "./RunsTable";

export function RunFacts({ run }: { run: RunDetail }) {
  return (
    <Card>
      <dl className="grid grid-cols-[92px_minmax(0,1fr)] gap-x-3 gap-y-2 text-sm">
        <Fact title={texts.runs.eventLabel}>
          {run.event ? (
            <Link
              to="/events/$id"
              params={{ id: run.event.id }}
              className="code block truncate text-accent-text hover:underline"
            >
              {run.event.name}
            </Link>
          ) : (
            texts.runs.by
          )}
        </Fact>
        {run.cause && (
          <Fact title={texts.runs.causeLabel}>
            <Link
              to="/runs/$id"
              params={{ id: run.cause.run_id }}
              search={run.cause.step_id ? { step: run.cause.step_id } : {}}
              className="block truncate text-accent-text hover:underline"
            >
              {run.cause.step_id ? texts.runs.causeStep(run.cause.step_id) : texts.runs.causeAgain}
            </Link>
          </Fact>
        )}
        <Fact title={texts.runs.entityLabel}>
          <EntityLink entity={run.entity} />
        </Fact>
        <Fact title={texts.runs.versionLabel}>
          <Link
            to="/automations/$id/edit"
            params={{ id: run.automation.id }}
            className="text-accent-text hover:underline"
          >
            {run.automation.version === null
              ? texts.automations.draftOnly
              : texts.automations.version(run.automation.version)}{" "}
            · {texts.runs.document}
          </Link>
        </Fact>
        <Fact title={texts.runs.startedLabel}>
          <Exact at={run.started_at ?? run.created_at} />
        </Fact>
        {run.reason && (
          <Fact title={texts.runs.reasonLabel}>
            {run.reason.message}{" "}
            {run.reason.event && (
              <Link to="/events/$id" params={{ id: run.reason.event.id }} className="text-accent-text hover:underline">
                {texts.runs.reasonEvent}
              </Link>
            )}
          </Fact>
        )}
        <Fact title={texts.events.id}>
          <span className="flex items-center gap-1">
            <code className="code truncate">{run.id}</code>
            <CopyIconButton text={run.id} />
          </span>
        </Fact>
      </dl>
    </Card>
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
