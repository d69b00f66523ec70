import { DropdownMenu } from "radix-ui";
import type { ReactNode } from "react";
import { cx } from "./classes";

export type MenuEntry =
  | { label: string; icon?: ReactNode; onSelect: () => void; danger?: boolean; disabled?: boolean; hint?: string }
  | "line";

/** A button's menu. Not modal, so that nothing but the menu itself takes keys or pointer. */
export function Menu({ trigger, entries, label }: { trigger: ReactNode; entries: MenuEntry[]; label: string }) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align="end"
          sideOffset={4}
          collisionPadding={8}
          aria-label={label}
          className="animate-appear z-[70] max-h-[60vh] min-w-44 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-pop"
        >
          {entries.map((entry, index) =>
            entry === "line" ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: entries never move while the menu is open
              <DropdownMenu.Separator key={index} className="my-1 h-px bg-line" />
            ) : (
              <DropdownMenu.Item
                key={entry.label}
                disabled={entry.disabled}
                onSelect={entry.onSelect}
                className={cx(
                  "flex h-8 cursor-pointer items-center gap-2 rounded-md px-2 text-sm outline-none select-none",
                  "data-[highlighted]:bg-hover data-[disabled]:cursor-not-allowed data-[disabled]:opacity-45",
                  entry.danger ? "text-bad" : "text-ink",
                )}
              >
                <span className={cx("grid size-4 place-items-center", !entry.danger && "text-faint")}>
                  {entry.icon}
                </span>
                <span className="flex-1">{entry.label}</span>
                {entry.hint && <span className="text-xs text-faint">{entry.hint}</span>}
              </DropdownMenu.Item>
            ),
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
