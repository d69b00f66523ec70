import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { statsQuery } from "@/api/system";
import { buttonClass, IconButton } from "@/parts/Button";
import { cx } from "@/parts/classes";
import { texts } from "@/texts";
import { FireSample } from "./FireSample";

const KEY = "upshot.checklist.hidden";

/** The way to the first run, until it has been walked or put away. */
export function Checklist() {
  const { data } = useQuery(statsQuery);
  const [hidden, setHidden] = useState(() => localStorage.getItem(KEY) === "yes");
  if (!data || hidden) return null;
  const built = Object.values(data.automations).some((count) => count > 0);
  const on = (data.automations.active ?? 0) > 0;
  const ran = Object.values(data.runs).some((count) => count > 0);
  if (built && on && ran) return null;
  const hide = () => {
    localStorage.setItem(KEY, "yes");
    setHidden(true);
  };
  return (
    <section aria-label={texts.home.checklist} className="card overflow-hidden">
      <header className="flex items-start gap-3 px-4 pt-3.5">
        <div className="min-w-0 flex-1">
          <h2 className="text-base font-semibold">{texts.home.checklist}</h2>
          <p className="text-sm text-soft">{texts.home.checklistLead}</p>
        </div>
        <IconButton label={texts.home.hide} icon={<X size={15} />} onClick={hide} />
      </header>
      <ol className="grid gap-3 p-4 md:grid-cols-3">
        <Item number={1} done={built} title={texts.home.stepBuild} help={texts.home.stepBuildHelp}>
          <Link to="/automations/new" className={buttonClass("primary", "sm")}>
            {texts.home.newAutomation}
          </Link>
        </Item>
        <Item number={2} done={on} title={texts.home.stepOn} help={texts.home.stepOnHelp}>
          <Link to="/automations" className={buttonClass("plain", "sm")}>
            {texts.nav.automations}
          </Link>
        </Item>
        <Item number={3} done={ran} title={texts.home.stepFire} help={texts.home.stepFireHelp}>
          <FireSample look="plain" size="sm" />
        </Item>
      </ol>
    </section>
  );
}

type ItemProps = { number: number; done: boolean; title: string; help: string; children: ReactNode };

function Item({ number, done, title, help, children }: ItemProps) {
  return (
    <li className={cx("flex flex-col rounded-lg border border-line p-3.5", done && "bg-sunken")}>
      <span className="flex items-center gap-2">
        <span
          className={cx(
            "grid size-5 place-items-center rounded-full text-2xs font-semibold",
            done ? "bg-good text-surface" : "bg-accent-wash text-accent-text",
          )}
        >
          {done ? <Check size={12} strokeWidth={3} aria-label={texts.home.done} /> : number}
        </span>
        <span className={cx("font-medium", done && "text-soft")}>{title}</span>
      </span>
      <p className="mt-1 mb-3 flex-1 text-sm text-soft">{help}</p>
      {!done && <span>{children}</span>}
    </li>
  );
}
