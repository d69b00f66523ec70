import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Pencil, RotateCw } from "lucide-react";
import { type ReactNode, useState } from "react";
import { type LetterDetail, letterQuery, letters } from "@/api/dead-letters";
import { Attempts } from "@/pages/runs/StepDetail";
import { Button } from "@/parts/Button";
import { Dialog } from "@/parts/Dialog";
import { JsonView } from "@/parts/JsonView";
import { ErrorNote, SkeletonRows } from "@/parts/Notes";
import { StatusBadge } from "@/parts/Status";
import { Exact } from "@/parts/Time";
import { useSay } from "@/parts/Toasts";
import { texts } from "@/texts";
import { DiscardDialog } from "./DiscardDialog";
import { ReplayDialog } from "./ReplayDialog";

const link = "text-accent-text hover:underline [overflow-wrap:anywhere]";

/** One dead letter: its error, the attempts, what it is about, and what can be done. */
export function LetterPanel() {
  const { id } = useParams({ from: "/dead-letters/$id" });
  const search = useSearch({ from: "/dead-letters" });
  const navigate = useNavigate();
  const [asked, setAsked] = useState<"replay" | "discard" | null>(null);
  const letter = useQuery(letterQuery(id));
  const close = () => void navigate({ to: "/dead-letters", search });
  if (letter.data && asked === "replay") return <ReplayDialog letter={letter.data} onClose={() => setAsked(null)} />;
  if (letter.data && asked === "discard") return <DiscardDialog letter={letter.data} onClose={() => setAsked(null)} />;
  return (
    <Dialog
      side
      title={letter.data ? titleOf(letter.data) : texts.letters.title}
      description={letter.data && <StatusBadge status={letter.data.status} />}
      onClose={close}
      footer={letter.data && canAct(letter.data) && <Actions letter={letter.data} onAsk={setAsked} />}
    >
      {letter.data ? (
        <Body letter={letter.data} />
      ) : letter.error ? (
        <div className="p-5">
          <ErrorNote
            what={texts.errors.load("this dead letter")}
            error={letter.error}
            onRetry={() => letter.refetch()}
          />
        </div>
      ) : (
        <SkeletonRows />
      )}
    </Dialog>
  );
}

function titleOf(letter: LetterDetail): string {
  return letter.automation?.name || letter.event?.name || (texts.letters.kindOne[letter.kind] ?? letter.id);
}

function canAct(letter: LetterDetail): boolean {
  return letter.status === "open" || letter.status === "discarded";
}

function Actions({ letter, onAsk }: { letter: LetterDetail; onAsk: (what: "replay" | "discard") => void }) {
  const client = useQueryClient();
  const say = useSay();
  const retry = useMutation({
    mutationFn: () => letters.retry(letter.id),
    onSuccess: () => say.done(texts.letters.retried),
    onError: (error) => say.failed(texts.errors.action("retry it"), error),
    onSettled: () => void client.invalidateQueries({ queryKey: ["letters"] }),
  });
  return (
    <>
      {letter.status === "open" && (
        <Button size="sm" look="danger" className="mr-auto" onClick={() => onAsk("discard")}>
          {texts.letters.discard}
        </Button>
      )}
      <Button size="sm" icon={<Pencil size={13} />} onClick={() => onAsk("replay")}>
        {texts.letters.replay}
      </Button>
      <Button
        size="sm"
        look="primary"
        icon={<RotateCw size={13} />}
        busy={retry.isPending}
        disabled={letter.blocked !== null}
        onClick={() => retry.mutate()}
      >
        {texts.letters.retry}
      </Button>
    </>
  );
}

function Body({ letter }: { letter: LetterDetail }) {
  return (
    <div className="flex flex-col gap-6 p-5">
      <div className="flex flex-col gap-2">
        <p className="rounded-md bg-bad-wash px-3 py-2 text-sm [overflow-wrap:anywhere] text-bad">
          {letter.message} <code className="code">{letter.code}</code>
        </p>
        {letter.blocked ? (
          <p className="text-sm text-warn">{texts.letters.blocked(letter.blocked)}</p>
        ) : (
          letter.status === "open" &&
          letter.kind === "run" && <p className="text-xs text-faint">{texts.letters.retryHelp}</p>
        )}
      </div>
      <Facts letter={letter} />
      {letter.tries.length > 0 && (
        <section aria-label={texts.letters.attempts}>
          <h3 className="eyebrow mb-2">{texts.letters.attempts}</h3>
          <Attempts attempts={letter.tries} />
        </section>
      )}
      <section aria-label={texts.letters.data}>
        <h3 className="eyebrow mb-2">{letter.data ? texts.letters.data : texts.letters.payload}</h3>
        {letter.data || letter.payload !== null ? (
          <JsonView value={letter.data ?? letter.payload} label={texts.letters.data} />
        ) : (
          <p className="text-sm text-faint">{texts.letters.noData}</p>
        )}
      </section>
    </div>
  );
}

function Facts({ letter }: { letter: LetterDetail }) {
  const { noun, id } = letter.reference;
  return (
    <dl className="grid grid-cols-[92px_minmax(0,1fr)] gap-x-3 gap-y-1.5">
      {noun === "run" && (
        <Fact title={texts.letters.run}>
          <Link to="/runs/$id" params={{ id }} className={link}>
            {id}
          </Link>
          {letter.step_id && <span className="ml-2 text-faint">{texts.letters.at(letter.step_id)}</span>}
        </Fact>
      )}
      {noun === "outbox" && <Fact title={texts.letters.row}>{id}</Fact>}
      {letter.automation && (
        <Fact title={texts.letters.automation}>
          <Link to="/automations/$id/edit" params={{ id: letter.automation.id }} className={link}>
            {letter.automation.name}
          </Link>
          {letter.version !== null && (
            <span className="ml-2 text-faint">
              {texts.letters.version} {letter.version}
            </span>
          )}
        </Fact>
      )}
      {letter.event && (
        <Fact title={texts.letters.event}>
          {letter.event.id ? (
            <Link to="/events/$id" params={{ id: letter.event.id }} className={link}>
              {letter.event.name}
            </Link>
          ) : (
            letter.event.name
          )}
        </Fact>
      )}
      <Fact title={texts.letters.first}>
        <Exact at={letter.first_at} />
      </Fact>
      <Fact title={texts.letters.last}>
        <Exact at={letter.last_at} />
      </Fact>
      {letter.reason && (
        <Fact title={texts.letters.reason}>
          {letter.reason} {letter.actor && <span className="text-faint">{texts.letters.by(letter.actor)}</span>}
        </Fact>
      )}
      {letter.replay_id && (
        <Fact title={texts.letters.replayedAs}>
          <Link to="/events/$id" params={{ id: letter.replay_id }} className={link}>
            {letter.replay_id}
          </Link>
        </Fact>
      )}
    </dl>
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
