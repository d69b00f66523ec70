import { Link, useNavigate } from "@tanstack/react-router";
import type { RunSummary } from "@/api/types";
import { span } from "@/parts/instants";
import { Badge, StatusBadge } from "@/parts/Status";
import { Cell, Folded, Row, Table } from "@/parts/Table";
import { Ago, Lasting } from "@/parts/Time";
import { texts } from "@/texts";

const columns = [
  { title: texts.runs.columns.status, className: "w-32" },
  { title: texts.runs.columns.run },
  { title: texts.runs.columns.event, folds: true },
  { title: texts.runs.columns.entity, folds: true, className: "w-40" },
  { title: texts.runs.columns.duration, folds: true, className: "w-28" },
  { title: texts.runs.columns.at, folds: true, className: "w-32" },
];

type Props = { runs: RunSummary[]; label?: string /** Left out on an entity's own page. */; withEntity?: boolean };

export function RunsTable({ runs, label = texts.runs.title, withEntity = true }: Props) {
  const navigate = useNavigate();
  return (
    <Table
      columns={withEntity ? columns : columns.filter((column) => column.title !== texts.runs.columns.entity)}
      label={label}
    >
      {runs.map((run) => (
        <Row key={run.id} onClick={() => void navigate({ to: "/runs/$id", params: { id: run.id } })}>
          <Cell>
            <StatusBadge status={run.status} />
          </Cell>
          <Cell className="max-w-0">
            <Link
              to="/runs/$id"
              params={{ id: run.id }}
              className="flex items-center gap-2 font-medium hover:text-accent-text"
            >
              <span className="truncate">{run.automation.name}</span>
              {run.test && <Badge tone="warn">{texts.runs.test}</Badge>}
              {run.replay_id && <Badge tone="info">{texts.replays.mark}</Badge>}
            </Link>
            {run.error && (
              <p className="truncate text-xs text-bad" title={run.error.message}>
                {run.error.step_id && `${texts.home.failedAt(run.error.step_id)}: `}
                {run.error.message}
              </p>
            )}
            {run.status === "waiting" && run.waiting_until && (
              <p className="truncate text-xs text-faint">
                {run.current_step} · <Ago at={run.waiting_until} />
              </p>
            )}
            <Folded>
              {run.event && <code className="code truncate">{run.event.name}</code>}
              <span className="shrink-0">
                <Ago at={run.started_at ?? run.created_at} />
              </span>
            </Folded>
          </Cell>
          <Cell folds className="max-w-0">
            {run.event && (
              <Link
                to="/events/$id"
                params={{ id: run.event.id }}
                className="code block truncate text-soft hover:text-accent-text"
              >
                {run.event.name}
              </Link>
            )}
          </Cell>
          {withEntity && (
            <Cell folds className="max-w-0">
              <EntityLink entity={run.entity} />
            </Cell>
          )}
          <Cell folds className="text-soft">
            {run.duration_seconds !== null ? (
              span(run.duration_seconds * 1000)
            ) : (
              <Lasting from={run.started_at} to={run.finished_at} />
            )}
          </Cell>
          <Cell folds className="text-soft">
            <Ago at={run.started_at ?? run.created_at} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}

export function EntityLink({ entity }: { entity: { type: string; id: string } | null }) {
  if (!entity) return <span className="text-faint">{texts.values.nothing}</span>;
  return (
    <Link to="/entities/$type/$id" params={entity} className="block truncate text-soft hover:text-accent-text">
      {entity.type} <span className="code">{entity.id}</span>
    </Link>
  );
}
