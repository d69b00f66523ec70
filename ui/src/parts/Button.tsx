import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { cx } from "./classes";
import { Spinner } from "./Spinner";
import { Tip } from "./Tip";

type Look = "primary" | "plain" | "quiet" | "danger";
type Props = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: Look;
  size?: "sm" | "md";
  icon?: ReactNode;
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

const looks: Record<Look, string> = {
  primary: "bg-accent text-accent-ink hover:bg-accent-strong shadow-card border border-transparent",
  plain: "bg-surface text-ink border border-line-strong hover:bg-hover shadow-card",
  quiet: "text-soft hover:bg-hover hover:text-ink border border-transparent",
  danger: "bg-surface text-bad border border-line-strong hover:bg-bad-wash shadow-card",
};

export function buttonClass(look: Look = "plain", size: "sm" | "md" = "md"): string {
  return cx(
    "inline-flex shrink-0 items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors select-none",
    "disabled:opacity-50 disabled:cursor-not-allowed",
    size === "sm" ? "h-7 px-2 text-xs" : "h-8 px-3 text-sm",
    looks[look],
  );
}

export function Button({ look = "plain", size = "md", icon, busy = false, children, className, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled || busy}
      aria-busy={busy || undefined}
      className={cx(buttonClass(look, size), className)}
    >
      {busy ? <Spinner /> : icon}
      {children}
    </button>
  );
}

type IconProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> & {
  label: string;
  icon: ReactNode;
  size?: "sm" | "md";
  danger?: boolean;
  ref?: Ref<HTMLButtonElement>;
};

/** A button that is only a picture; its label is its name and its tooltip. */
export function IconButton({ label, icon, size = "md", danger = false, className, ...rest }: IconProps) {
  return (
    <Tip text={label}>
      <button
        type="button"
        {...rest}
        aria-label={label}
        className={cx(
          "inline-grid shrink-0 place-items-center rounded-md text-faint transition-colors hover:bg-hover",
          danger ? "hover:text-bad" : "hover:text-ink",
          "disabled:opacity-35 disabled:hover:bg-transparent disabled:cursor-not-allowed",
          size === "sm" ? "size-6" : "size-8",
          className,
        )}
      >
        {icon}
      </button>
    </Tip>
  );
}
