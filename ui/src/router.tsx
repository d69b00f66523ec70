import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { base } from "./base";
import { Crashed, NotFound } from "./shell/Lost";
import { Shell } from "./shell/Shell";

// Each page is its own file, loaded when it is first opened.
const page = <T extends string>(load: () => Promise<Record<T, React.ComponentType>>, name: T) =>
  lazyRouteComponent(load, name);

/** The search parameters a page reads; each is text or absent. */
const texts =
  <K extends string>(...names: K[]) =>
  (search: Record<string, unknown>): { [N in K]?: string } => {
    const found: { [N in K]?: string } = {};
    for (const name of names) {
      const value = search[name];
      if (value !== undefined && value !== null && value !== "") found[name] = String(value);
    }
    return found;
  };

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: Crashed });

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  component: page(() => import("./pages/home/HomePage"), "HomePage"),
});

const automations = createRoute({
  getParentRoute: () => root,
  path: "/automations",
  validateSearch: texts("q", "status", "folder", "tag"),
  component: page(() => import("./pages/automations/AutomationsPage"), "AutomationsPage"),
});
const newAutomation = createRoute({
  getParentRoute: () => automations,
  path: "/new",
  validateSearch: texts("event", "sample"),
  component: page(() => import("./pages/automations/NewAutomation"), "NewAutomation"),
});
const editAutomation = createRoute({
  getParentRoute: () => automations,
  path: "/$id/edit",
  validateSearch: texts("sample", "step", "part"),
  component: page(() => import("./pages/automations/EditAutomation"), "EditAutomation"),
});
const oneAutomation = createRoute({
  getParentRoute: () => root,
  path: "/automations/$id",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/automations/$id/edit", params, replace: true });
  },
});

const insights = createRoute({
  getParentRoute: () => root,
  path: "/automations/$id/insights",
  validateSearch: texts("days"),
  component: page(() => import("./pages/automations/insights/InsightsPage"), "InsightsPage"),
});

const runs = createRoute({
  getParentRoute: () => root,
  path: "/runs",
  validateSearch: texts("status", "automation", "event", "entity", "replay"),
  component: page(() => import("./pages/runs/RunsPage"), "RunsPage"),
});
const run = createRoute({
  getParentRoute: () => root,
  path: "/runs/$id",
  validateSearch: texts("step", "tab"),
  component: page(() => import("./pages/runs/RunPage"), "RunPage"),
});

const deadLetters = createRoute({
  getParentRoute: () => root,
  path: "/dead-letters",
  validateSearch: texts("status", "kind", "fingerprint"),
  component: page(() => import("./pages/dead-letters/DeadLettersPage"), "DeadLettersPage"),
});
const deadLetter = createRoute({
  getParentRoute: () => deadLetters,
  path: "/$id",
  component: page(() => import("./pages/dead-letters/LetterPanel"), "LetterPanel"),
});

const events = createRoute({
  getParentRoute: () => root,
  path: "/events",
  validateSearch: texts("name", "entity", "q", "emit"),
  component: page(() => import("./pages/events/EventsPage"), "EventsPage"),
});
const event = createRoute({
  getParentRoute: () => events,
  path: "/$id",
  component: page(() => import("./pages/events/EventPanel"), "EventPanel"),
});

const entities = createRoute({
  getParentRoute: () => root,
  path: "/entities",
  validateSearch: texts("type"),
  component: page(() => import("./pages/entities/EntitiesPage"), "EntitiesPage"),
});
const entity = createRoute({
  getParentRoute: () => root,
  path: "/entities/$type/$id",
  component: page(() => import("./pages/entities/EntityPage"), "EntityPage"),
});

const segments = createRoute({
  getParentRoute: () => root,
  path: "/segments",
  component: page(() => import("./pages/segments/SegmentsPage"), "SegmentsPage"),
});

const settings = createRoute({
  getParentRoute: () => root,
  path: "/settings",
  component: page(() => import("./pages/settings/SettingsPage"), "SettingsPage"),
});
const settingsHome = createRoute({
  getParentRoute: () => settings,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/settings/event-types", replace: true });
  },
});
const eventTypes = createRoute({
  getParentRoute: () => settings,
  path: "/event-types",
  component: page(() => import("./pages/settings/EventTypesPage"), "EventTypesPage"),
});
const keys = createRoute({
  getParentRoute: () => settings,
  path: "/keys",
  component: page(() => import("./pages/settings/KeysPage"), "KeysPage"),
});
const webhooks = createRoute({
  getParentRoute: () => settings,
  path: "/webhooks",
  component: page(() => import("./pages/settings/WebhooksPage"), "WebhooksPage"),
});
const tenant = createRoute({
  getParentRoute: () => settings,
  path: "/tenant",
  component: page(() => import("./pages/settings/TenantPage"), "TenantPage"),
});
const audit = createRoute({
  getParentRoute: () => settings,
  path: "/audit",
  component: page(() => import("./pages/settings/AuditPage"), "AuditPage"),
});

const tree = root.addChildren([
  home,
  automations.addChildren([newAutomation, editAutomation]),
  oneAutomation,
  insights,
  runs,
  run,
  deadLetters.addChildren([deadLetter]),
  events.addChildren([event]),
  entities,
  entity,
  segments,
  settings.addChildren([settingsHome, eventTypes, keys, webhooks, tenant, audit]),
]);

export function makeRouter() {
  return createRouter({ routeTree: tree, basepath: base, defaultPreload: "intent", scrollRestoration: true });
}
