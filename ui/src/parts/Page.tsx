import { type ReactNode, useEffect } from "react";
import { texts } from "@/texts";
import { cx } from "./classes";

type Props = {
  title: string;
  lead?: ReactNode;
  actions?: ReactNode;
  above?: ReactNode;
  children: ReactNode;
  wide?: boolean;
};

export function Page({ title, lead, actions, above, children, wide = false }: Props) {
  useEffect(() => {
    document.title = `${title} · ${texts.product}`;
  }, [title]);
  return (
    <div className={cx("mx-auto w-full px-5 py-6 md:px-8", wide ? "max-w-[1500px]" : "max-w-[1240px]")}>
      {above}
      <header className="mb-5 flex flex-wrap items-end gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 max-md:basis-full">
          <h1 className="text-xl font-semibold tracking-tight text-balance">{title}</h1>
          {lead && <p className="mt-0.5 text-sm text-soft">{lead}</p>}
        </div>
        {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Card({
  title,
  actions,
  children,
  className,
  flush = false,
}: {
  title?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  flush?: boolean;
}) {
  return (
    <section className={cx("card overflow-hidden", className)}>
      {(title || actions) && (
        <div className="flex min-h-11 items-center gap-3 border-b border-line px-4 py-1.5">
          <h2 className="text-sm font-semibold">{title}</h2>
          {actions && <div className="ml-auto flex items-center gap-1.5">{actions}</div>}
        </div>
      )}
      <div className={cx(!flush && "p-4")}>{children}</div>
    </section>
  );
}
