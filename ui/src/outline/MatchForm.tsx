import { Plus, X } from "lucide-react";
import type { EventType, Json, JsonObject, Problem } from "@/api/types";
import { type Fact, factsOf } from "@/condition-builder/facts";
import { Button, IconButton } from "@/parts/Button";
import { Combobox } from "@/parts/Combobox";
import { Field, FieldError, Select, TextInput } from "@/parts/Field";
import { InsertData } from "@/schema-form/InsertData";
import { numberOrText, placeholder } from "@/schema-form/model";
import { texts } from "@/texts";
import { errorAt, errorJustAt } from "./problems";

type MatchKind = "any" | "same" | "values";

function matchKind(match: Json | undefined): MatchKind {
  if (match === undefined || match === null) return "any";
  if (typeof match === "string" || Array.isArray(match)) return "same";
  return Object.keys(match).length ? "values" : "any";
}

type Props = {
  match: Json | undefined;
  onChange: (match: Json | undefined) => void;
  /** The type of the event that comes, if it is declared. */
  type: EventType | undefined;
  /** What the values may be filled in from. */
  facts: Fact[];
  problems: Problem[];
  /** The path of the match in the document. */
  at: string;
};

/** Which of the events of one name are meant: any, those with the same fields as the run's own event, or with these values. */
export function MatchForm(props: Props) {
  const { match, onChange, type, problems, at } = props;
  const kind = matchKind(match);
  const starts: Record<MatchKind, Json | undefined> = { any: undefined, same: [""], values: { "": "" } };
  const fields = factsOf(type, type?.sample ?? null)
    .filter((fact) => !/^(event|now|changed|previous)\b/.test(fact.path))
    .map((fact) => ({ value: fact.path, hint: fact.type ?? undefined }));
  return (
    <>
      <Field label={texts.steps.match} error={errorJustAt(problems, at)}>
        {(control) => (
          <Select {...control} value={kind} onChange={(event) => onChange(starts[event.target.value as MatchKind])}>
            {Object.entries(texts.steps.matches).map(([one, words]) => (
              <option key={one} value={one}>
                {words}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {kind === "same" && <SameFields {...props} fields={fields} />}
      {kind === "values" && <Values {...props} fields={fields} />}
    </>
  );
}

type Choices = { value: string; hint?: string }[];

/** The fields that are the same as those of the event the run began with. */
function SameFields({ match, onChange, problems, at, fields }: Props & { fields: Choices }) {
  const listed = (Array.isArray(match) ? match : [match]).map(String);
  const put = (next: string[]) => onChange(next.length ? next : [""]);
  const error = errorAt(problems, at);
  return (
    <div className="flex flex-col gap-1.5">
      {listed.map((field, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the field changes while it is typed
        <div key={index} className="flex gap-1.5">
          <Combobox
            mono
            label={texts.steps.matchField}
            value={field}
            choices={fields}
            onChange={(value) => put(listed.map((old, one) => (one === index ? value : old)))}
          />
          <IconButton
            label={texts.actions.remove}
            icon={<X size={14} />}
            onClick={() => put(listed.filter((_, one) => one !== index))}
          />
        </div>
      ))}
      <Adder label={texts.form.addEntry} onAdd={() => put([...listed, ""])} />
      {error && <FieldError>{error}</FieldError>}
    </div>
  );
}

/** Fields, and what each must be. */
function Values({ match, onChange, problems, at, facts, fields }: Props & { fields: Choices }) {
  const entries = Object.entries((match ?? {}) as JsonObject);
  const put = (next: [string, Json][]) => onChange(next.length ? Object.fromEntries(next) : undefined);
  const change = (place: number, entry: [string, Json]) =>
    put(entries.map((old, one) => (one === place ? entry : old)));
  const error = errorAt(problems, at);
  return (
    <div className="flex flex-col gap-1.5">
      {entries.map(([field, value], index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the field changes while it is typed
        <div key={index} className="flex flex-wrap items-center gap-1.5">
          <div className="min-w-36 flex-1">
            <Combobox
              mono
              label={texts.steps.matchField}
              placeholder="taskId"
              value={field}
              choices={fields}
              onChange={(changed) => change(index, [changed, value])}
            />
          </div>
          <span aria-hidden className="text-xs text-faint">
            =
          </span>
          <TextInput
            aria-label={texts.steps.matchValue}
            className="min-w-36 flex-1 font-mono text-xs!"
            value={shown(value)}
            onChange={(event) => change(index, [field, said(event.target.value)])}
          />
          <InsertData
            label={texts.form.insertInto(field)}
            facts={facts}
            iconOnly
            onPick={(path) => change(index, [field, placeholder(path)])}
          />
          <IconButton
            label={texts.actions.remove}
            icon={<X size={14} />}
            onClick={() => put(entries.filter((_, one) => one !== index))}
          />
        </div>
      ))}
      <Adder
        label={texts.form.addEntry}
        disabled={entries.some(([field]) => field === "")}
        onAdd={() => put([...entries, ["", ""]])}
      />
      {error && <FieldError>{error}</FieldError>}
    </div>
  );
}

/** What was typed: a text in quotes stays one, also where it looks like a number. */
function said(text: string): Json {
  if (text === "true" || text === "false") return text === "true";
  const quoted = /^"[^"\\]*"$/.test(text.trim());
  return quoted ? (JSON.parse(text) as string) : numberOrText(text);
}

const shown = (value: Json): string =>
  typeof value === "string" && said(value) === value ? value : JSON.stringify(value);

function Adder({ label, disabled, onAdd }: { label: string; disabled?: boolean; onAdd: () => void }) {
  return (
    <span>
      <Button size="sm" look="quiet" icon={<Plus size={13} />} disabled={disabled} onClick={onAdd}>
        {label}
      </Button>
    </span>
  );
}
