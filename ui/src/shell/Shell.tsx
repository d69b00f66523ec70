import { useQuery } from "@tanstack/react-query";
import { Link, Outlet } from "@tanstack/react-router";
import { Activity, Boxes, House, ListChecks, MailWarning, Settings, Users, Workflow } from "lucide-react";
import { useLiveUpdates } from "@/api/stream";
import { statsQuery } from "@/api/system";
import type { Stats } from "@/api/types";
import { texts } from "@/texts";
import { Account } from "./Account";
import { Logo } from "./Logo";

const links = [
  { to: "/", title: texts.nav.home, Icon: House, exact: true },
  { to: "/automations", title: texts.nav.automations, Icon: Workflow, exact: false },
  { to: "/runs", title: texts.nav.runs, Icon: ListChecks, exact: false },
  { to: "/dead-letters", title: texts.nav.deadLetters, Icon: MailWarning, exact: false },
  { to: "/events", title: texts.nav.events, Icon: Activity, exact: false },
  { to: "/segments", title: texts.nav.segments, Icon: Users, exact: false },
  { to: "/entities", title: texts.nav.entities, Icon: Boxes, exact: false },
] as const;

/** The frame of every page: the way around on the left, the page on the right. */
export function Shell() {
  const live = useLiveUpdates();
  return (
    <div className="flex min-h-dvh flex-col md:flex-row">
      <button
        type="button"
        // Not a link: <base> would turn a bare fragment into another address.
        onClick={() => document.getElementById("main")?.focus()}
        className="sr-only z-[100] rounded-md bg-accent px-3 py-2 text-accent-ink focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        {texts.nav.skip}
      </button>
      <aside className="z-20 flex shrink-0 border-line bg-surface max-md:items-center max-md:border-b md:sticky md:top-0 md:h-dvh md:w-[216px] md:flex-col md:border-r">
        <Link
          to="/"
          className="flex items-center gap-2 px-4 py-3.5 text-base font-semibold tracking-tight md:px-4 md:pt-4 md:pb-3"
        >
          <Logo />
          <span className="max-md:sr-only">{texts.product}</span>
        </Link>
        <nav aria-label={texts.nav.label} className="flex gap-0.5 overflow-x-auto md:flex-1 md:flex-col md:px-2.5">
          {links.map((link) => (
            <NavLink key={link.to} {...link} />
          ))}
          <span aria-hidden className="flex-1 max-md:hidden" />
          <NavLink to="/settings" title={texts.nav.settings} Icon={Settings} exact={false} />
        </nav>
        <Account live={live} />
      </aside>
      <main id="main" tabIndex={-1} className="min-w-0 flex-1 outline-none">
        <Outlet />
      </main>
    </div>
  );
}

type NavProps = { to: (typeof links)[number]["to"] | "/settings"; title: string; Icon: typeof House; exact: boolean };

function NavLink({ to, title, Icon, exact }: NavProps) {
  return (
    <Link
      to={to}
      activeOptions={{ exact, includeSearch: false }}
      activeProps={{ className: "bg-accent-wash text-accent-text!" }}
      className="flex h-8 items-center gap-2.5 rounded-md px-2.5 font-medium text-soft transition-colors hover:bg-hover hover:text-ink"
    >
      <Icon size={16} aria-hidden className="shrink-0" />
      <span className="max-md:sr-only">{title}</span>
      {to === "/runs" && <Count of={(stats) => stats.runs.failed} title={texts.status.failed} />}
      {to === "/dead-letters" && <Count of={(stats) => stats.dead_letters.open} title={texts.status.open} />}
    </Link>
  );
}

function Count({ of, title }: { of: (stats: Stats) => number | undefined; title: string | undefined }) {
  const { data } = useQuery(statsQuery);
  const count = (data && of(data)) ?? 0;
  if (!count) return null;
  return (
    <span className="ml-auto rounded-full bg-bad-wash px-1.5 text-2xs font-semibold text-bad tabular-nums max-md:hidden">
      {count > 999 ? "999+" : count}
      <span className="sr-only"> {title}</span>
    </span>
  );
}
