import { useQuery, useQueryClient } from "@tanstack/react-query";
import { ChevronsUpDown, LogOut, Monitor, Moon, Sun } from "lucide-react";
import type { LiveState } from "@/api/stream";
import { sessionQuery, system } from "@/api/system";
import { Menu, type MenuEntry } from "@/parts/Menu";
import { Dot, type Tone } from "@/parts/Status";
import { Tip } from "@/parts/Tip";
import { texts } from "@/texts";
import { type Theme, useTheme } from "./theme";

const themes: { id: Theme; icon: React.ReactNode }[] = [
  { id: "light", icon: <Sun size={15} /> },
  { id: "dark", icon: <Moon size={15} /> },
  { id: "system", icon: <Monitor size={15} /> },
];
const liveTones: Record<LiveState, Tone> = { live: "good", connecting: "idle", offline: "warn" };

/** Who is here, whether the page is live, and the theme. */
export function Account({ live }: { live: LiveState }) {
  const client = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  const [theme, setTheme] = useTheme();
  const entries: MenuEntry[] = themes.map(({ id, icon }) => ({
    label: texts.theme[id],
    icon,
    hint: theme === id ? "✓" : undefined,
    onSelect: () => setTheme(id),
  }));
  if (session && !session.dev) {
    entries.push("line", {
      label: texts.actions.signOut,
      icon: <LogOut size={15} />,
      onSelect: () => void system.signOut().finally(() => client.resetQueries()),
    });
  }
  const name = session?.dev ? texts.session.dev : (session?.actor ?? "");
  return (
    <div className="flex items-center gap-2 max-md:ml-auto max-md:pr-3 md:flex-col md:items-stretch md:border-t md:border-line md:p-2.5">
      <Tip text={texts.live.hint} side="right">
        <p role="status" className="flex items-center gap-2 px-2.5 text-xs text-faint max-md:hidden">
          <Dot tone={liveTones[live]} />
          {texts.live[live]}
        </p>
      </Tip>
      <Menu
        label={texts.theme.label}
        entries={entries}
        trigger={
          <button type="button" className="flex h-10 items-center gap-2 rounded-md px-2.5 text-left hover:bg-hover">
            <span
              aria-hidden
              className="grid size-6 shrink-0 place-items-center rounded-md bg-accent-wash text-2xs font-semibold text-accent-text uppercase"
            >
              {(session?.tenant ?? "·").slice(0, 2)}
            </span>
            <span className="min-w-0 flex-1 max-md:sr-only">
              <span className="block truncate text-xs font-medium">{session?.tenant}</span>
              <span className="block truncate text-2xs text-faint">{name}</span>
              <span className="sr-only">{texts.theme.label}</span>
            </span>
            <ChevronsUpDown size={13} aria-hidden className="text-faint" />
          </button>
        }
      />
    </div>
  );
}
