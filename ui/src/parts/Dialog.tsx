import { X } from "lucide-react";
import { Portal } from "radix-ui";
import { DismissableLayer, FocusGuards, FocusScope } from "radix-ui/internal";
import { type ReactNode, useEffect, useEffectEvent, useId, useRef, useState } from "react";
import { texts } from "@/texts";
import { IconButton } from "./Button";
import { cx } from "./classes";

type Props = {
  title: string;
  /** Shown under the title; names the dialog's purpose to a screen reader too. */
  description?: ReactNode;
  size?: "sm" | "md" | "lg" | "full";
  side?: boolean;
  onClose: () => void;
  /** Answers whether Escape, pressed there, was for something inside; the dialog then stays. */
  onEscape?: (at: HTMLElement) => boolean;
  /** Replaces the title row; the title then only names the dialog. */
  header?: ReactNode;
  footer?: ReactNode;
  children: ReactNode;
  /** Put the focus into the first field instead of on the dialog itself. */
  focusField?: boolean;
  /** Clicking outside closes it too. Off where work could be lost by a slip. */
  light?: boolean;
};

const sizes = {
  sm: "w-[440px]",
  md: "w-[640px]",
  lg: "w-[880px]",
  full: "w-[1480px] h-[calc(100dvh-40px)] max-md:h-dvh max-md:rounded-none",
};

let open = 0;

/** The page behind must not scroll. A class, since the strict content policy forbids a style element. */
function useScrollLock() {
  useEffect(() => {
    open += 1;
    document.body.classList.add("is-locked");
    return () => {
      open -= 1;
      if (open === 0) document.body.classList.remove("is-locked");
    };
  }, []);
}

const escapes: ((event: KeyboardEvent) => void)[] = [];

/** Gives Escape to the dialog on top; false when none is open. A notice that came later would take it for itself. */
export function escapeDialog(event: KeyboardEvent): boolean {
  escapes.at(-1)?.(event);
  return escapes.length > 0;
}

let opener: HTMLElement | null = null;

/** Gives the focus back to what opened the first of several dialogs that took each other's place. */
function useGivingBack() {
  const [before] = useState(() => document.activeElement as HTMLElement | null);
  useEffect(() => {
    if (before && before !== document.body && !before.closest("[role=dialog]")) opener = before;
  }, [before]);
  return (event: Event) => {
    if (open > 0 || before?.isConnected || !opener?.isConnected) return;
    event.preventDefault();
    opener.focus();
  };
}

/** A modal dialog: keeps the focus inside, closes on Escape, gives the focus back. */
export function Dialog(props: Props) {
  useScrollLock();
  const giveBack = useGivingBack();
  const titleId = useId();
  const body = useRef<HTMLDivElement>(null);
  const { side = false, size = "md", header, footer, light = true } = props;
  const onEscape = (event: KeyboardEvent) => {
    event.preventDefault();
    const at = event.target as HTMLElement;
    // An open list of suggestions takes Escape for itself.
    if (at.getAttribute("aria-expanded") !== "true" && !props.onEscape?.(at)) props.onClose();
  };
  const escapeNow = useEffectEvent(onEscape);
  useEffect(() => {
    const own = (event: KeyboardEvent) => escapeNow(event);
    escapes.push(own);
    return () => void escapes.splice(escapes.indexOf(own), 1);
  }, []);
  return (
    <Portal.Root>
      <FocusGuards.FocusGuards>
        <div
          className={cx(
            "fixed inset-0 z-50 flex p-5",
            side ? "justify-end p-0!" : "items-center justify-center",
            !side && size === "full" && "max-md:p-0",
          )}
        >
          <div aria-hidden className="animate-veil absolute inset-0 bg-veil" />
          <FocusScope.FocusScope
            asChild
            loop
            trapped
            onMountAutoFocus={(event) => {
              event.preventDefault();
              const field = props.focusField && body.current?.querySelector<HTMLElement>("input, select, textarea");
              (field || body.current)?.focus();
            }}
            onUnmountAutoFocus={giveBack}
          >
            <DismissableLayer.DismissableLayer
              ref={body}
              tabIndex={-1}
              role="dialog"
              aria-modal="true"
              aria-labelledby={titleId}
              onEscapeKeyDown={onEscape}
              onPointerDownOutside={(event) => {
                event.preventDefault();
                if (light) props.onClose();
              }}
              onFocusOutside={(event) => event.preventDefault()}
              className={cx(
                "animate-appear relative flex max-w-full flex-col overflow-clip border border-line bg-raised shadow-pop outline-none!",
                side ? "h-full w-[760px] border-y-0 border-r-0" : "max-h-full rounded-xl",
                !side && sizes[size],
              )}
            >
              {header ? (
                <>
                  <h2 id={titleId} className="sr-only">
                    {props.title}
                  </h2>
                  {header}
                </>
              ) : (
                <TitleRow id={titleId} title={props.title} description={props.description} onClose={props.onClose} />
              )}
              <div className="flex min-h-0 flex-1 flex-col overflow-y-auto">{props.children}</div>
              {footer && (
                <div className="flex flex-wrap items-center justify-end gap-2 border-t border-line bg-surface px-5 py-3">
                  {footer}
                </div>
              )}
            </DismissableLayer.DismissableLayer>
          </FocusScope.FocusScope>
        </div>
      </FocusGuards.FocusGuards>
    </Portal.Root>
  );
}

function TitleRow({
  id,
  title,
  description,
  onClose,
}: {
  id: string;
  title: string;
  description?: ReactNode;
  onClose: () => void;
}) {
  return (
    <div className="flex items-start gap-3 border-b border-line px-5 py-3.5">
      <div className="min-w-0 flex-1">
        <h2 id={id} className="text-lg font-semibold tracking-tight">
          {title}
        </h2>
        {description && <p className="mt-0.5 text-sm text-soft">{description}</p>}
      </div>
      <IconButton label={texts.actions.close} icon={<X size={16} />} onClick={onClose} />
    </div>
  );
}
