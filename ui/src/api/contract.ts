/**
 * Holds the hand-written shapes to the server's OpenAPI: when the API changes and `npm run types` is run, what no longer
 * fits fails the type check here. Types only; nothing of this file is shipped.
 */
import type * as dead from "./dead-letters";
import type * as insights from "./insights";
import type * as replays from "./replays";
import type * as runs from "./runs";
import type { components } from "./schema";
import type * as segments from "./segments";
import type * as ours from "./types";
import type * as hooks from "./webhooks";

type Served = components["schemas"];

/** What the server sends can be read as what the pages expect. */
type Fits<Sent extends Expected, Expected> = Sent;

/** Parts of a document that are described by the reference and not by the schema. */
type Free = "trigger" | "condition" | "steps" | "timeout" | "flow" | "cancel_on" | "goal" | "exit";

export type Contract = [
  Fits<Served["RunSummary"], ours.RunSummary>,
  Fits<Served["RunPage"], ours.Page<ours.RunSummary>>,
  Fits<Served["EventTypePage"]["items"][number]["on_invalid"], ours.EventType["on_invalid"]>,
  Fits<Omit<Served["EventItem"], "data">, Omit<ours.EventItem, "data">>,
  Fits<Omit<Served["ExplainedAutomation"], "explanation">, Omit<ours.ExplainedAutomation, "explanation">>,
  Fits<
    Omit<Served["AutomationItem"], Free>,
    Pick<ours.AutomationItem, Exclude<keyof Served["AutomationItem"] & keyof ours.AutomationItem, Free>>
  >,
  Fits<Omit<Served["Validation"], "document">, Omit<ours.Validation, "document">>,
  Fits<Served["ScheduleItem"], ours.ScheduleItem>,
  Fits<Omit<Served["Diff"], "changes">, Omit<ours.Diff, "changes">>,
  Fits<Served["Insights"], insights.Insights>,
  Fits<Omit<Served["Segment"], "condition">, Omit<segments.Segment, "condition">>,
  Fits<Served["Member"], segments.Member>,
  Fits<Served["RunsInFlight"], ours.RunsInFlight>,
  Fits<Omit<Served["Imported"], "document" | "changes">, Omit<ours.Imported, "document" | "changes">>,
  Fits<Omit<Served["ActionItem"], "schema">, Omit<ours.ActionItem, "schema">>,
  Fits<Omit<Served["Entity"], "fields">, Omit<ours.Entity, "fields">>,
  Fits<Served["EntityTypeCount"], ours.EntityTypeCount>,
  Fits<Served["Key"], ours.ApiKey>,
  Fits<Served["Webhook"], hooks.Webhook>,
  Fits<Served["DeadLetter"], dead.Letter>,
  Fits<Served["DeadLetterGroup"], dead.LetterGroup>,
  Fits<Served["BulkAnswer"], dead.BulkAnswer>,
  Fits<Omit<Served["DeadLetterDetail"], "data" | "tries">, Omit<dead.LetterDetail, "data" | "tries">>,
  Fits<Served["BulkRuns"], runs.BulkRuns>,
  Fits<Served["CalledItem"], runs.CalledItem>,
  Fits<Omit<Served["Replay"], "condition">, Omit<replays.Replay, "condition">>,
  Fits<Served["Session"], ours.Session>,
  Fits<Served["Stats"], ours.Stats>,
  Fits<Served["AcceptedEvents"], ours.EmitAnswer>,
];
