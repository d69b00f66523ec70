import type { ReactNode, TdHTMLAttributes } from "react";
import { cx } from "./classes";

export type Column = { title: string; hidden?: boolean; className?: string };

/** A plain semantic table in a card; the server sorts and pages. */
export function Table({ columns, label, children }: { columns: Column[]; label: string; children: ReactNode }) {
  return (
    <div className="overflow-x-auto">
      <table aria-label={label} className="w-full min-w-[680px] border-collapse text-sm">
        <thead>
          <tr className="border-b border-line">
            {columns.map((column) => (
              <th
                key={column.title}
                scope="col"
                className={cx(
                  "h-9 px-3 text-left text-xs font-medium whitespace-nowrap text-faint first:pl-4 last:pr-4",
                  column.className,
                )}
              >
                {column.hidden ? <span className="sr-only">{column.title}</span> : column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

export function Row({
  children,
  selected,
  onClick,
}: {
  children: ReactNode;
  selected?: boolean;
  onClick?: () => void;
}) {
  return (
    // Rows react to a click anywhere; the link inside is what a keyboard or a screen reader uses.
    <tr
      onClick={(event) => {
        const target = event.target as HTMLElement;
        // A menu of the row bubbles through React though it stands elsewhere on the page.
        const inside = event.currentTarget.contains(target);
        if (onClick && inside && !target.closest("a,button,input,select,label,[role=switch]")) onClick();
      }}
      className={cx(
        "border-b border-line transition-colors last:border-0",
        onClick && "cursor-pointer hover:bg-hover",
        selected && "bg-accent-wash hover:bg-accent-wash",
      )}
    >
      {children}
    </tr>
  );
}

export function Cell({ className, ...rest }: TdHTMLAttributes<HTMLTableCellElement>) {
  return <td {...rest} className={cx("h-11 px-3 py-2 first:pl-4 last:pr-4", className)} />;
}
