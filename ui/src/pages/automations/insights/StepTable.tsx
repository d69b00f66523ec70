import { Link } from "@tanstack/react-router";
import type { StepInsight } from "@/api/insights";
import type { StepDocument } from "@/api/types";
import { cx } from "@/parts/classes";
import { Card } from "@/parts/Page";
import { Cell, Folded, Row, Table } from "@/parts/Table";
import { texts } from "@/texts";
import { lasting } from "./Figures";
import { placeOf } from "./places";

const said = texts.insights;
const columns = [
  { title: said.columns.step },
  { title: said.columns.half, folds: true, className: "w-28" },
  { title: said.columns.most, className: "w-44" },
  { title: said.columns.times, folds: true, className: "w-20" },
  { title: said.columns.failed, folds: true, className: "w-20" },
  { title: said.columns.retried, folds: true, className: "w-24" },
];

/** Each action step, the slowest first, with a bar beside the slowest. */
export function StepTable({ id, told, steps }: { id: string; told: StepInsight[]; steps: StepDocument[] }) {
  const slowest = Math.max(0, ...told.map((step) => step.p95_seconds ?? 0));
  return (
    <Card title={said.steps} flush>
      <p className="px-4 pt-3 text-xs text-faint">{told.length ? said.stepsHelp : said.stepsNone}</p>
      {told.length > 0 && (
        <Table columns={columns} label={said.steps}>
          {told.map((step) => (
            <Row key={step.id}>
              <Cell className="max-w-0">
                <Link
                  to="/automations/$id/edit"
                  params={{ id }}
                  search={placeOf(step.path, steps)}
                  aria-label={said.goTo(step.id)}
                  className="block truncate font-medium hover:text-accent-text"
                >
                  {step.id}
                </Link>
                <code className="code block truncate text-xs text-faint">{step.action}</code>
                <Folded>{`${step.times.toLocaleString()} ${said.columns.times.toLowerCase()}, ${step.failed.toLocaleString()} ${said.columns.failed.toLowerCase()}`}</Folded>
              </Cell>
              <Cell folds className="tabular-nums">
                {lasting(step.p50_seconds)}
              </Cell>
              <Cell className="tabular-nums">
                <span className="flex items-center gap-2">
                  <span aria-hidden className="h-1.5 w-16 shrink-0 overflow-hidden rounded-full bg-idle-wash">
                    <span
                      style={{ width: slowest ? `${((step.p95_seconds ?? 0) / slowest) * 100}%` : 0 }}
                      className="block h-full bg-accent"
                    />
                  </span>
                  {lasting(step.p95_seconds)}
                </span>
              </Cell>
              <Cell folds className="tabular-nums">
                {step.times.toLocaleString()}
              </Cell>
              <Cell folds className={cx("tabular-nums", step.failed > 0 && "text-bad")}>
                {step.failed.toLocaleString()}
              </Cell>
              <Cell folds className={cx("tabular-nums", step.retried > 0 && "text-warn")}>
                {step.retried.toLocaleString()}
              </Cell>
            </Row>
          ))}
        </Table>
      )}
    </Card>
  );
}
