import { CircleAlert, CircleCheck, X } from "lucide-react";
import { Toast } from "radix-ui";
import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { explainError } from "@/api/client";
import { texts } from "@/texts";
import { Button, IconButton } from "./Button";
import { escapeDialog } from "./Dialog";

type Note = {
  id: number;
  text: string;
  tone: "good" | "bad";
  seconds: number;
  action?: { label: string; run: () => void };
};
type Say = {
  done: (text: string, action?: Note["action"]) => void;
  failed: (what: string, error: unknown) => void;
};

const Context = createContext<Say | null>(null);

/** How the page tells that something was done or failed. An action (undo) keeps the note for 10 seconds. */
export function useSay(): Say {
  const say = useContext(Context);
  if (!say) throw new Error("useSay needs <Toasts> above it");
  return say;
}

let nextId = 1;

export function Toasts({ children }: { children: ReactNode }) {
  const [notes, setNotes] = useState<Note[]>([]);
  const drop = useCallback((id: number) => setNotes((all) => all.filter((note) => note.id !== id)), []);
  const say = useMemo<Say>(() => {
    const add = (note: Omit<Note, "id">) => setNotes((all) => [...all.slice(-3), { ...note, id: nextId++ }]);
    return {
      done: (text, action) => add({ text, action, tone: "good", seconds: action ? 10 : 4 }),
      failed: (what, error) => add({ text: `${what} ${explainError(error)}`, tone: "bad", seconds: 12 }),
    };
  }, []);
  return (
    <Context.Provider value={say}>
      <Toast.Provider label={texts.states.notice} swipeDirection="right">
        {children}
        {notes.map((note) => (
          <OneToast key={note.id} note={note} onGone={() => drop(note.id)} />
        ))}
        <Toast.Viewport className="fixed right-5 bottom-5 z-[90] flex w-[380px] max-w-[calc(100vw-40px)] flex-col gap-2 outline-none" />
      </Toast.Provider>
    </Context.Provider>
  );
}

function OneToast({ note, onGone }: { note: Note; onGone: () => void }) {
  const bad = note.tone === "bad";
  return (
    <Toast.Root
      duration={note.seconds * 1000}
      type={bad ? "foreground" : "background"}
      onOpenChange={(open) => !open && onGone()}
      onEscapeKeyDown={(event) => {
        if (escapeDialog(event)) event.preventDefault();
      }}
      className="animate-appear flex items-center gap-2.5 rounded-lg border border-line bg-raised py-2 pr-2 pl-3.5 shadow-pop"
    >
      {bad ? (
        <CircleAlert size={16} aria-hidden className="shrink-0 text-bad" />
      ) : (
        <CircleCheck size={16} aria-hidden className="shrink-0 text-good" />
      )}
      <Toast.Description className="min-w-0 flex-1 text-sm">{note.text}</Toast.Description>
      {note.action && (
        <Toast.Action asChild altText={note.action.label}>
          <Button size="sm" onClick={note.action.run}>
            {note.action.label}
          </Button>
        </Toast.Action>
      )}
      <Toast.Close asChild>
        <IconButton size="sm" label={texts.actions.dismiss} icon={<X size={14} />} />
      </Toast.Close>
    </Toast.Root>
  );
}
