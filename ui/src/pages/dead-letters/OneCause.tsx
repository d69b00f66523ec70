import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { ArrowLeft, MailCheck } from "lucide-react";
import { useState } from "react";
import { type BulkAction, type Letter, lettersQuery } from "@/api/dead-letters";
import { Button, buttonClass } from "@/parts/Button";
import { More } from "@/parts/More";
import { Empty, ErrorNote, SkeletonRows } from "@/parts/Notes";
import { StatusBadge } from "@/parts/Status";
import { Cell, Folded, Row, Table } from "@/parts/Table";
import { Ago } from "@/parts/Time";
import { texts } from "@/texts";
import { BulkDialog } from "./BulkDialog";

const columns = [
  { title: texts.letters.columns.about },
  { title: texts.letters.status, className: "w-32" },
  { title: texts.letters.columns.tries, folds: true, className: "w-20" },
  { title: texts.letters.columns.at, folds: true, className: "w-32" },
];

/** The letters of one cause, and what can be done about all of them. */
export function OneCause({ fingerprint, status }: { fingerprint: string; status: string }) {
  const [bulk, setBulk] = useState<BulkAction | null>(null);
  const search = useSearch({ from: "/dead-letters" });
  const list = useInfiniteQuery(lettersQuery({ fingerprint, status }));
  const letters = list.data?.pages.flatMap((page) => page.items) ?? [];
  const first = letters[0];
  return (
    <>
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <Link
          to="/dead-letters"
          search={{ ...search, fingerprint: undefined }}
          className={`${buttonClass("quiet", "sm")} -ml-2`}
        >
          <ArrowLeft size={13} aria-hidden />
          {texts.letters.back}
        </Link>
        {first && status === "open" && (
          <span className="ml-auto flex gap-2">
            <Button size="sm" onClick={() => setBulk("discard")}>
              {texts.letters.discardAll}
            </Button>
            <Button size="sm" look="primary" onClick={() => setBulk("retry")}>
              {texts.letters.retryAll}
            </Button>
          </span>
        )}
      </div>
      <div className="card overflow-hidden">
        {first && (
          <p className="border-b border-line bg-bad-wash px-4 py-2.5 text-sm [overflow-wrap:anywhere] text-bad">
            {first.message} <code className="code">{first.code}</code>
          </p>
        )}
        {list.isPending ? (
          <SkeletonRows rows={6} />
        ) : list.error ? (
          <div className="p-4">
            <ErrorNote what={texts.errors.load("the dead letters")} error={list.error} onRetry={() => list.refetch()} />
          </div>
        ) : first ? (
          <Letters letters={letters} />
        ) : (
          <Empty icon={<MailCheck size={20} />} title={texts.letters.noneOf} />
        )}
        <More query={list} />
      </div>
      {bulk && <BulkDialog fingerprint={fingerprint} action={bulk} onClose={() => setBulk(null)} />}
    </>
  );
}

function Letters({ letters }: { letters: Letter[] }) {
  const navigate = useNavigate();
  const search = useSearch({ from: "/dead-letters" });
  const { id } = useParams({ strict: false });
  return (
    <Table columns={columns} label={texts.letters.title}>
      {letters.map((letter) => (
        <Row
          key={letter.id}
          selected={letter.id === id}
          onClick={() => void navigate({ to: "/dead-letters/$id", params: { id: letter.id }, search })}
        >
          <Cell className="max-w-0">
            <Link
              to="/dead-letters/$id"
              params={{ id: letter.id }}
              search={search}
              className="block truncate font-medium hover:underline"
            >
              {letter.automation?.name || letter.event?.name || texts.letters.kindOne[letter.kind]}
              <code className="code ml-2 font-normal text-faint">{letter.reference.id}</code>
            </Link>
            <Folded>
              <Ago at={letter.last_at} />
            </Folded>
          </Cell>
          <Cell>
            <StatusBadge status={letter.status} />
          </Cell>
          <Cell folds className="tabular-nums">
            {letter.attempts}
          </Cell>
          <Cell folds className="text-faint">
            <Ago at={letter.last_at} />
          </Cell>
        </Row>
      ))}
    </Table>
  );
}
