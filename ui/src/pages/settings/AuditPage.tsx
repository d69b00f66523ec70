import { useInfiniteQuery } from "@tanstack/react-query";
import { History } from "lucide-react";
import { Fragment, useState } from "react";
import { auditQuery } from "@/api/system";
import type { AuditEntry, Json } from "@/api/types";
import { Button } from "@/parts/Button";
import { JsonView } from "@/parts/JsonView";
import { More } from "@/parts/More";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Cell, Folded, Row, Table } from "@/parts/Table";
import { Ago } from "@/parts/Time";
import { texts } from "@/texts";
import { changedFields, nameIn } from "./changes";
import { SectionHead } from "./SectionHead";

const columns = [
  { title: texts.audit.columns.at, folds: true, className: "w-32" },
  { title: texts.audit.columns.actor, folds: true, className: "w-48" },
  { title: texts.audit.columns.what },
  { title: texts.audit.columns.change, hidden: true, className: "w-24 md:w-48" },
];

export function AuditPage() {
  const list = useInfiniteQuery(auditQuery);
  const entries = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <SectionHead lead={texts.audit.lead} />
      <div className="card overflow-hidden">
        {list.isPending ? (
          <SkeletonRows />
        ) : list.error ? (
          <div className="p-4">
            <ErrorNote what={texts.errors.load("the audit log")} error={list.error} onRetry={() => list.refetch()} />
          </div>
        ) : entries.length === 0 ? (
          <Empty icon={<History size={20} />} title={texts.audit.empty}>
            {texts.audit.emptyHelp}
          </Empty>
        ) : (
          <Table columns={columns} label={texts.settings.audit}>
            {entries.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </Table>
        )}
        <More query={list} />
      </div>
    </>
  );
}

function Entry({ entry }: { entry: AuditEntry }) {
  const [open, setOpen] = useState(false);
  const changed = changedFields(entry.before, entry.after);
  const what = `${entry.noun.replaceAll("_", " ")} ${nameIn(entry.after) ?? nameIn(entry.before) ?? entry.noun_id}`;
  return (
    <Fragment>
      <Row onClick={() => setOpen(!open)}>
        <Cell folds className="text-soft">
          <Ago at={entry.at} />
        </Cell>
        <Cell folds className="max-w-0 truncate font-medium">
          {entry.actor}
        </Cell>
        <Cell className="max-w-0 truncate">
          <span className="font-medium">{entry.action}</span> {what}
          {changed.length > 0 && <span className="ml-2 text-xs text-faint">{changed.join(", ")}</span>}
          <Folded>
            {entry.actor} <Ago at={entry.at} />
          </Folded>
        </Cell>
        <Cell className="text-right">
          <Button size="sm" look="quiet" aria-expanded={open} onClick={() => setOpen(!open)}>
            {open ? texts.audit.hide : texts.audit.show}
          </Button>
        </Cell>
      </Row>
      {open && (
        <tr className="border-b border-line bg-sunken">
          <td colSpan={4} className="p-4">
            <div className="grid gap-4 md:grid-cols-2">
              <Side title={texts.audit.before} value={entry.before} none={texts.audit.nothing} />
              <Side title={texts.audit.after} value={entry.after} none={texts.audit.gone} />
            </div>
          </td>
        </tr>
      )}
    </Fragment>
  );
}

function Side({ title, value, none }: { title: string; value: Json; none: string }) {
  return (
    <section aria-label={title}>
      <h3 className="eyebrow mb-1.5">{title}</h3>
      {value === null ? (
        <p className="text-sm text-faint">{none}</p>
      ) : (
        <JsonView value={value} label={title} className="bg-surface" />
      )}
    </section>
  );
}
