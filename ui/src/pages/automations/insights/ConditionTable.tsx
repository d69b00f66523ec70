import { Link } from "@tanstack/react-router";
import type { ConditionInsight } from "@/api/insights";
import type { StepDocument } from "@/api/types";
import { Card } from "@/parts/Page";
import { Cell, Row, Table } from "@/parts/Table";
import { texts } from "@/texts";
import { placeWords } from "../editor/selection";
import { placeOf } from "./places";

const said = texts.insights;
const columns = [
  { title: said.columns.condition },
  { title: said.columns.rules, folds: true, className: "w-20" },
  { title: said.columns.mean, folds: true, className: "w-36" },
  { title: said.columns.max, className: "w-32" },
];

/** Each condition, the costliest first. */
export function ConditionTable({ id, told, steps }: { id: string; told: ConditionInsight[]; steps: StepDocument[] }) {
  const events = Math.max(0, ...told.map((condition) => condition.events));
  const help = told.length === 0 ? said.conditionsNone : events ? said.conditionsHelp(events) : said.conditionsUnasked;
  const work = (figure: number | null) => (figure === null ? texts.values.nothing : said.workSteps(Math.round(figure)));
  return (
    <Card title={said.conditions} flush>
      <p className={told.length ? "px-4 pt-3 text-xs text-faint" : "p-4 text-sm text-faint"}>{help}</p>
      {told.length > 0 && (
        <Table columns={columns} label={said.conditions}>
          {told.map((condition) => {
            const place = placeWords(condition.path, steps);
            return (
              <Row key={condition.path}>
                <Cell className="max-w-0">
                  <Link
                    to="/automations/$id/edit"
                    params={{ id }}
                    search={placeOf(condition.path, steps)}
                    aria-label={said.goTo(place)}
                    className="block truncate font-medium hover:text-accent-text"
                  >
                    {place}
                  </Link>
                </Cell>
                <Cell folds className="tabular-nums">
                  {condition.comparisons.toLocaleString()}
                </Cell>
                <Cell folds className="tabular-nums">
                  {work(condition.mean_steps)}
                </Cell>
                <Cell className="tabular-nums">{work(condition.max_steps)}</Cell>
              </Row>
            );
          })}
        </Table>
      )}
    </Card>
  );
}
