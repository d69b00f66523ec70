import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { membersQuery, type Segment } from "@/api/segments";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { More } from "@/parts/More";
import { ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Ago } from "@/parts/Time";
import { texts } from "@/texts";

const said = texts.segments;

/** Who is in a segment and since when, page by page. */
export function MembersDialog({ segment, onClose }: { segment: Segment; onClose: () => void }) {
  const list = useInfiniteQuery(membersQuery(segment.id));
  const members = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Dialog
      title={said.members(segment.name)}
      description={said.count(segment.members)}
      size="sm"
      onClose={onClose}
      footer={<Button onClick={onClose}>{texts.actions.close}</Button>}
    >
      {list.isPending ? (
        <SkeletonRows rows={4} />
      ) : list.error ? (
        <div className="p-4">
          <ErrorNote what={texts.errors.load("its members")} error={list.error} onRetry={() => list.refetch()} />
        </div>
      ) : members.length === 0 ? (
        <p className="p-5 text-sm text-soft">{said.nobody}</p>
      ) : (
        <ul aria-label={said.members(segment.name)} className="divide-y divide-line">
          {members.map((member) => (
            <li key={member.id} className="flex items-center gap-3 px-5 py-2.5 text-sm">
              <Link
                to="/entities/$type/$id"
                params={{ type: member.type, id: member.id }}
                className="code min-w-0 flex-1 truncate font-medium hover:text-accent-text"
              >
                {member.id}
              </Link>
              <span className="text-xs text-faint">
                {said.joined} <Ago at={member.joined_at} />
              </span>
            </li>
          ))}
        </ul>
      )}
      <More query={list} />
    </Dialog>
  );
}
