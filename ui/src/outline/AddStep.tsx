import { Plus } from "lucide-react";
import { Popover } from "radix-ui";
import { type KeyboardEvent, useRef, useState } from "react";
import type { ActionItem } from "@/api/types";
import { buttonClass } from "@/parts/Button";
import { cx } from "@/parts/classes";
import { texts } from "@/texts";
import type { StepKind } from "./model";
import { StepIcon } from "./StepIcon";

type Props = {
  actions: ActionItem[];
  label: string;
  /** Its name where the label alone does not tell it from others. */
  name?: string;
  look?: "button" | "joint" | "link";
  onAdd: (kind: StepKind, action?: ActionItem) => void;
};

const looks = {
  button: cx(buttonClass("plain"), "w-full border-dashed"),
  joint:
    "grid size-5 place-items-center rounded-full border border-line-strong bg-raised text-soft shadow-card hover:bg-accent hover:text-accent-ink",
  link: "inline-flex h-5 shrink-0 items-center gap-1 rounded-md px-1.5 text-xs font-medium whitespace-nowrap text-accent-text hover:bg-accent-wash",
};

/** Chooses what to add: any registered action, or one of the steps that steer the run. */
export function AddStep({ actions, label, name, look = "button", onAdd }: Props) {
  const [isOpen, setOpen] = useState(false);
  const added = useRef(false);
  const add = (kind: StepKind, action?: ActionItem) => {
    added.current = true;
    setOpen(false);
    onAdd(kind, action);
  };
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger aria-label={name ?? (look === "joint" ? label : undefined)} className={looks[look]}>
        <Plus size={look === "button" ? 14 : 12} aria-hidden />
        {look !== "joint" && label}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={6}
          collisionPadding={8}
          onCloseAutoFocus={(event) => {
            // The new step's form has the focus; closed without a choice, it goes back to the button.
            if (added.current) event.preventDefault();
            added.current = false;
          }}
          className="animate-appear z-[70] flex max-h-[min(460px,70vh)] w-[340px] flex-col rounded-lg border border-line bg-raised shadow-pop"
        >
          <Choices actions={actions} onAdd={add} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

type Choice = { key: string; kind: StepKind; title: string; help: string; action?: ActionItem };

const flow = (["branch", "delay", "wait_for_event", "parallel", "for_each", "call", "split", "stop"] as const).map(
  (kind): Choice => ({ key: `:${kind}`, kind, title: texts.steps[kind], help: texts.steps[`${kind}Help`] }),
);

function Choices({ actions, onAdd }: Pick<Props, "actions" | "onAdd">) {
  const [text, setText] = useState("");
  const [active, setActive] = useState(0);
  const wanted = text.trim().toLowerCase();
  const fits = (choice: Choice) => `${choice.title} ${choice.key} ${choice.help}`.toLowerCase().includes(wanted);
  const found = actions
    .filter((action) => action.over !== "delay")
    .map(
      (action): Choice => ({
        key: action.name,
        kind: "action",
        title: action.title,
        help: action.description ?? "",
        action,
      }),
    )
    .filter(fits);
  const steering = flow.filter(fits);
  const all = [...steering, ...found];
  const onKeyDown = (event: KeyboardEvent) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const chosen = all[active];
    if (move && all.length) {
      event.preventDefault();
      setActive((index) => (index + move + all.length) % all.length);
    } else if (event.key === "Enter" && chosen) {
      event.preventDefault();
      onAdd(chosen.kind, chosen.action);
    }
  };
  const section = (title: string, choices: Choice[]) =>
    choices.length > 0 && (
      <section aria-label={title}>
        <h3 className="eyebrow px-2 pt-2 pb-1">{title}</h3>
        <ul>
          {choices.map((choice) => (
            <li key={choice.key}>
              <ChoiceButton choice={choice} active={all[active]?.key === choice.key} onAdd={onAdd} />
            </li>
          ))}
        </ul>
      </section>
    );
  return (
    <>
      <div className="p-1.5 pb-0">
        <input
          type="search"
          aria-label={texts.steps.add}
          placeholder={texts.steps.add}
          className="control h-8"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <div className="min-h-0 flex-1 overflow-y-auto p-1.5 pt-0">
        {section(texts.steps.flow, steering)}
        {section(texts.steps.actions, found)}
      </div>
    </>
  );
}

function ChoiceButton({ choice, active, onAdd }: { choice: Choice; active: boolean; onAdd: Props["onAdd"] }) {
  return (
    <button
      type="button"
      onClick={() => onAdd(choice.kind, choice.action)}
      className={cx("flex w-full items-center gap-2.5 rounded-md p-1.5 text-left hover:bg-hover", active && "bg-hover")}
    >
      <StepIcon kind={choice.kind} action={choice.action?.name} icon={choice.action?.icon} />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">{choice.title}</span>
        {choice.help && <span className="block truncate text-xs text-faint">{choice.help}</span>}
      </span>
    </button>
  );
}
