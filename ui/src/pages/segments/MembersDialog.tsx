import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { useState } from "react";
import { membersQuery, type Segment, segments } from "@/api/segments";
import { Button, IconButton } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { Field, TextInput } from "@/parts/Field";
import { More } from "@/parts/More";
import { ErrorNote, SkeletonRows } from "@/parts/Notes";
import { Ago } from "@/parts/Time";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";

const said = texts.segments;

/** Who is in a segment and since when, page by page. */
export function MembersDialog({ segment, onClose }: { segment: Segment; onClose: () => void }) {
  const list = useInfiniteQuery(membersQuery(segment.id));
  const change = useChange((id: string) => segments.remove(segment.id, id));
  const members = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <Dialog
      title={said.members(segment.name)}
      description={said.count(segment.members)}
      size="sm"
      onClose={onClose}
      footer={<Button onClick={onClose}>{texts.actions.close}</Button>}
    >
      {segment.kind === "manual" && <Add segment={segment} />}
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
              {segment.kind === "manual" && (
                <IconButton
                  size="sm"
                  label={said.remove(member.id)}
                  icon={<X size={14} />}
                  disabled={change.isPending}
                  onClick={() => change.mutate(member.id)}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      <More query={list} />
    </Dialog>
  );
}

/** Puts an entity into a segment that is kept by hand. */
function Add({ segment }: { segment: Segment }) {
  const [id, setId] = useState("");
  const change = useChange((id: string) => segments.add(segment.id, id));
  return (
    <form
      className="flex items-end gap-2 border-b border-line px-5 py-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (id.trim()) change.mutate(id.trim(), { onSuccess: () => setId("") });
      }}
    >
      <div className="min-w-0 flex-1">
        <Field label={said.addId}>
          {(control) => <TextInput {...control} value={id} onChange={(event) => setId(event.target.value)} />}
        </Field>
      </div>
      <Button type="submit" busy={change.isPending} disabled={!id.trim()}>
        {said.add}
      </Button>
    </form>
  );
}

/** A change of who is in it; the list and the counts follow. */
function useChange(make: (id: string) => Promise<void>) {
  const client = useQueryClient();
  const say = useSay();
  return useMutation({
    mutationFn: make,
    onSuccess: () => client.invalidateQueries({ queryKey: ["segments"] }),
    onError: (error) => say.failed(texts.errors.action("change who is in it"), error),
  });
}
