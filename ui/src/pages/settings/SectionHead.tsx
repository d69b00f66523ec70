import type { ReactNode } from "react";

export function SectionHead({ lead, children }: { lead: string; children?: ReactNode }) {
  return (
    <div className="mb-3 flex flex-wrap items-center gap-3">
      <p className="min-w-0 flex-1 text-sm text-soft">{lead}</p>
      {children}
    </div>
  );
}
