import type { ReactNode, TdHTMLAttributes } from "react";
import { cx } from "./classes";

export type Column = {
  title: string;
  hidden?: boolean;
  className?: string /** Left out on a phone. */;
  folds?: boolean;
};

/** A plain semantic table in a card; the server sorts and pages. */
export function Table({ columns, label, children }: { columns: Column[]; label: string; children: ReactNode }) {
  return (
    <div className="overflow-x-auto">
      <table aria-label={label} className="w-full border-collapse md:min-w-[680px] text-sm">
        <thead>
          <tr className="border-b border-line">
            {columns.map((column) => (
              <th
                key={column.title}
                scope="col"
                className={cx(
                  "h-9 px-3 text-left text-xs font-medium whitespace-nowrap text-faint first:pl-4 last:pr-4",
                  column.folds && "max-md:hidden",
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

type CellProps = TdHTMLAttributes<HTMLTableCellElement> & { folds?: boolean };

export function Cell({ className, folds = false, ...rest }: CellProps) {
  return <td {...rest} className={cx("h-11 px-3 py-2 first:pl-4 last:pr-4", folds && "max-md:hidden", className)} />;
}

/** What a row says below its name on a phone, instead of in the columns left out there. */
export function Folded({ children }: { children: ReactNode }) {
  return <div className="mt-0.5 flex min-w-0 items-center gap-2 text-xs text-faint md:hidden">{children}</div>;
}
