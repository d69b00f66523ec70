import { Link, Outlet } from "@tanstack/react-router";
import { Page } from "@/parts/Page";
import { texts } from "@/texts";

const sections = [
  { to: "/settings/event-types", title: texts.settings.eventTypes },
  { to: "/settings/keys", title: texts.settings.keys },
  { to: "/settings/webhooks", title: texts.settings.webhooks },
  { to: "/settings/tenant", title: texts.settings.tenant },
  { to: "/settings/audit", title: texts.settings.audit },
] as const;

export function SettingsPage() {
  return (
    <Page title={texts.settings.title}>
      <nav aria-label={texts.settings.sections} className="mb-5 flex gap-5 overflow-x-auto border-b border-line">
        {sections.map((section) => (
          <Link
            key={section.to}
            to={section.to}
            activeProps={{ className: "border-accent! text-ink!" }}
            className="-mb-px flex h-9 items-center border-b-2 border-transparent font-medium whitespace-nowrap text-soft hover:text-ink"
          >
            {section.title}
          </Link>
        ))}
      </nav>
      <Outlet />
    </Page>
  );
}
