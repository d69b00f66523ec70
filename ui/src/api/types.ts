/** The API's shapes, by hand until `npm run types` has a schema to read. One block per noun, as the server names them. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };
export type JsonSchema = {
  type?: string | string[];
  title?: string;
  description?: string;
  format?: string;
  default?: Json;
  examples?: Json[];
  enum?: Json[];
  const?: Json;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  additionalProperties?: boolean | JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  $ref?: string;
  $defs?: Record<string, JsonSchema>;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  /** Where the property stands in a form. */
  "x-order"?: number;
};

export type Page<T> = { items: T[]; next: string | null };
export type Problem = { path: string; message: string; code: string };

// Events
export type EntityRef = { type: string; id: string };
export type EventItem = {
  id: string;
  name: string;
  data: JsonObject;
  ts: string;
  accepted_at: string;
  entity: EntityRef | null;
  status: string;
  marks?: Problem[];
  cause: { run_id: string; step_id: string | null } | null;
  root_id?: string | null;
  depth?: number;
  test: boolean;
  run_count?: number;
};
export type EventDetail = EventItem & { runs: RunSummary[]; cancelled_runs?: RunSummary[] };
export type ExplainedAutomation = {
  automation_id: string;
  name: string;
  version: number | null;
  outcome: string;
  reason: string;
  key: string | null;
  at: string | null;
  run_id: string | null;
  explanation: Explanation | null;
};
export type EventExplanation = { event_id: string; automations: ExplainedAutomation[] };
export type EventType = {
  name: string;
  title: string | null;
  description: string | null;
  schema: JsonSchema | null;
  entity: { type: string; id: string } | null;
  on_invalid: "refuse" | "warn";
  sample: JsonObject | null;
};
export type EmitAnswer = { ids: string[]; duplicates: number };

// Conditions
export type Leaf = { id?: string; field?: string; operator: string; value?: Json; ci?: boolean } & Record<
  string,
  unknown
>;
export type Group = { id?: string; combinator: "and" | "or"; not?: boolean; rules: (Leaf | Group)[] };
export type ExplainNode = {
  id?: string;
  op?: string;
  path?: string;
  expected?: Json;
  actual?: Json;
  /** Null: it could not be decided. */
  result: boolean | null;
  state?: string;
  expected_value?: Json;
  items?: number;
  items_met?: number;
  source?: string;
  missing_at?: string;
  text?: string;
  not?: boolean;
  children?: ExplainNode[];
};
export type Explanation = {
  result: boolean;
  text: string;
  blame?: string[];
  tree?: ExplainNode;
  error?: { code: string; message: string } | null;
};
export type Operator = {
  name: string;
  title: string;
  aliases?: string[];
  symbols?: string[];
  operand: string;
  types?: string[];
  words?: string;
  /** What else a leaf with it may say: `ci`, `tz`, ... */
  options?: string[];
};

// Automations
export type StepDocument = {
  id: string;
  action?: string;
  with?: JsonObject;
  delay?: Json;
  branch?: Group | Leaf;
  if_true?: string | null;
  if_false?: string | null;
  stop?: Json;
  /** The id of the automation that is called; `with` is then the data of the event it starts with. */
  call?: string;
  await?: boolean;
  for_each?: Json;
  concurrency?: number;
  limit?: number;
  wait_for_event?: string;
  match?: Json;
  parallel?: string[];
  split?: { weight: number; next: string | null; name?: string }[];
  join?: "all" | "any" | number;
  timeout?: Json;
  on_timeout?: string | null;
  on_failure?: string | null;
  delivery?: "at_least_once" | "at_most_once";
  next?: string | null;
  on_error?: "stop" | "continue" | "retry";
  retries?: Json;
  timeout_seconds?: number;
} & Record<string, unknown>;
export type AutomationDocument = {
  name: string;
  description?: string;
  trigger: { event?: string; schedule?: JsonObject; manual?: true } & Record<string, unknown>;
  priority: number;
  condition: Group | null;
  steps: StepDocument[];
  /** The step a run goes to when it fails. */
  on_failure?: string | null;
  /** How many runs it starts, and when. */
  flow?: JsonObject | null;
  /** The queue of its runs; `automation` if left out. */
  queue?: string;
  /** The events that cancel its runs under way. */
  cancel_on?: CancelOn[];
  /** Where it holds as a next step would begin, a run ends there: completed by its goal, cancelled by its exit. */
  goal?: Group | Leaf | null;
  exit?: Group | Leaf | null;
  /** How long a run may take, as delays are written. */
  timeout?: Json;
  /** Where it is kept, with / between names. */
  folder?: string | null;
  tags?: string[];
};
export type CancelOn = { event: string; match?: Json };
export type AutomationStatus = "draft" | "active" | "paused" | "archived";
export type AutomationItem = AutomationDocument & {
  id: string;
  status: AutomationStatus;
  version: number | null;
  draft_revision: number;
  has_draft_changes: boolean;
  created_at: string;
  updated_at: string;
  deleted_at: string | null;
  last_run: { id: string; status: RunStatus; at: string } | null;
  run_count: number;
  success_rate: number | null;
  /** Circles that it makes with other automations; empty in lists. */
  warnings: { path: string; message: string }[];
};
export type Validation = {
  valid: boolean;
  problems: Problem[];
  document: AutomationDocument | null;
  notes: { path: string; message: string }[];
  /** Circles that it would make with other automations. */
  warnings: { path: string; message: string }[];
  /** What its schedule means, and when it would be due next. */
  schedule: { words: string; zone: string; next: string[] } | null;
};
export type Imported = {
  document: (AutomationDocument & { status?: "active" }) | null;
  notes: { path: string; message: string }[];
  /** Circles that it makes with the active automations. */
  warnings: { path: string; message: string }[];
  problems: Problem[];
  id: string | null;
  /** Whether it is new, or changes the automation of its name or not. */
  state: "new" | "changed" | "same";
  changes: DiffChange[];
};

/** What an import did, or would do; `revision` tells how what it would change stands. */
export type Import = { automations: Imported[]; revision: number };
export type DryRunStep = {
  id: string;
  kind: string;
  action?: string | null;
  arguments?: Json;
  would: string;
  text: string;
  problems?: Problem[];
  explanation?: Explanation | null;
};
export type Version = {
  version: number;
  document: AutomationDocument;
  published_at: string;
  published_by: string;
};
export type DiffChange = { path: string; kind: "added" | "removed" | "changed" | "moved"; text: string };
export type Diff = {
  from: number | null;
  to: number | null;
  draft_revision: number | null;
  runs_in_flight: number;
  in_flight: { version: number; runs: number }[];
  changes: DiffChange[];
};
/** What became of the runs that were under way on other versions when one was published. */
export type RunsInFlight = {
  action: "finish" | "move" | "cancel";
  count: number;
  done: number;
  under_way: number;
  left: number;
  reasons: { id: string; reason: string }[];
};
export type PublishedItem = AutomationItem & { runs_in_flight: RunsInFlight };
export type BacktestKind = "newly" | "no_longer" | "both" | "neither" | "undecided";
export type BacktestSample = {
  event_id: string;
  name: string;
  at: string;
  entity: EntityRef | null;
  reason: string;
  other_reason: string;
};
export type Backtest = {
  since: string;
  until: string;
  version: number | null;
  draft_revision: number | null;
  against: number | null;
  progress: { events: number; of: number };
  would_start: number;
  other_would_start: number;
  counts: Record<BacktestKind, number>;
  samples: Record<BacktestKind, BacktestSample[]>;
  next: string | null;
};
export type ScheduleItem = { automation: { id: string }; next_at: string | null };
export type ActionItem = {
  name: string;
  title: string;
  description: string | null;
  schema: JsonSchema | null;
  icon: string | null;
  kind: string;
  over?: string | null;
};

// Runs
export type RunStatus = "pending" | "running" | "waiting" | "paused" | "completed" | "partial" | "failed" | "cancelled";
export type StepStatus =
  | "pending"
  | "ready"
  | "running"
  | "waiting"
  | "completed"
  | "failed"
  | "skipped"
  | "cancelled"
  | "unknown";
export type RunSummary = {
  id: string;
  automation: { id: string; name: string; version: number | null };
  status: RunStatus;
  event: { id: string; name: string } | null;
  entity: EntityRef | null;
  test: boolean;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  duration_seconds: number | null;
  error: { code: string; message: string; step_id: string | null } | null;
  /** Why it ended before its last step, though nothing failed. */
  reason?: { code: string; message: string; event: { id: string; name: string } | null } | null;
  /** The replay of past events that started it. */
  replay_id?: string | null;
  current_step: string | null;
  waiting_until: string | null;
};
export type LogLine = { at: string; text: string; fields?: JsonObject };
export type Attempt = {
  attempt: number;
  status: string;
  started_at: string | null;
  finished_at: string | null;
  duration_seconds: number | null;
  input?: Json;
  output?: Json;
  error: { code: string; message: string } | null;
  log: LogLine[];
  idempotency_key?: string | null;
};
export type RunStep = {
  /** Its own in the run: `remind`, `remind:3` in the third round, `each[7]` for the eighth item. */
  id: string;
  /** The step of the document. */
  step_id?: string;
  /** In which round of its circle, from 1. */
  round?: number;
  kind: string;
  action: string | null;
  status: StepStatus;
  attempts: Attempt[];
  input: Json;
  output: Json;
  error: { code: string; message: string } | null;
  started_at: string | null;
  finished_at: string | null;
  due_at: string | null;
  explanation: Explanation | null;
  /** The run that this step called. */
  called_run?: { id: string; status: RunStatus } | null;
};
export type RunDetail = RunSummary & {
  /** The step that caused its event; without a step, the run that was run again. */
  cause?: { run_id: string; step_id: string | null } | null;
  explanation: Explanation | null;
  steps: RunStep[];
  document: AutomationDocument | null;
};

// Entities
export type EntityTypeCount = { type: string; count: number };
export type Entity = EntityRef & {
  fields: JsonObject;
  tags: string[];
  revision: number;
  created_at: string;
  updated_at: string;
};

// System
export type Counts = Record<string, number>;
export type Stats = { runs: Counts; events: Counts; outbox: Counts; dead_letters: Counts; automations: Counts };
export type Session = { tenant: string; role: string; actor: string; dev: boolean; zone: string };
export type ApiKey = {
  id: string;
  name: string;
  role: string;
  created_at: string;
  last_used_at: string | null;
  created_by: string;
  revoked_at: string | null;
  prefix: string;
  expires_at: string | null;
};
export type Tenant = { id: string; name: string; settings: JsonObject; status?: string; created_at?: string };
export type AuditEntry = {
  id: string;
  at: string;
  actor: string;
  action: string;
  noun: string;
  noun_id: string;
  before: Json;
  after: Json;
};
