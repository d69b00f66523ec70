import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { entityTypesQuery } from "@/api/entities";
import { eventTypesQuery } from "@/api/events";
import type { Json, JsonObject } from "@/api/types";
import type { Fact } from "@/condition-builder/facts";
import { Button, IconButton } from "@/parts/Button";
import { CodeEditor } from "@/parts/CodeEditor";
import { type Choice, Combobox } from "@/parts/Combobox";
import { cx } from "@/parts/classes";
import { Select, TextArea, TextInput } from "@/parts/Field";
import { JsonEditor } from "@/parts/JsonEditor";
import { Switch } from "@/parts/Switch";
import { texts } from "@/texts";
import { InsertData } from "./InsertData";
import { type FormField, isTemplate, numberOrText, placeholder } from "./model";

type Control = { id: string; "aria-describedby"?: string; "aria-invalid"?: boolean };
type Props = {
  field: FormField;
  value: Json | undefined;
  facts: Fact[];
  control: Control;
  /** What is wrong with it, for a control that shows where. */
  error?: string | null;
  onChange: (value: Json | undefined) => void;
};

const templated = (value: Json | undefined) => isTemplate(value) && "font-mono text-xs! text-accent-text";

export function FieldControl(props: Props) {
  const { field, value } = props;
  if (field.kind === "code") return <CodeControl {...props} />;
  if (isTemplate(value) && field.kind !== "textarea") return <TextControl {...props} />;
  if (field.format === "event-type" || field.format === "entity-type") return <KnownNameControl {...props} />;
  switch (field.kind) {
    case "textarea":
      return <AreaControl {...props} />;
    case "number":
      return <TextControl {...props} numeric />;
    case "boolean":
      return <BooleanControl {...props} />;
    case "choice":
      return <ChoiceControl {...props} />;
    case "texts":
      return <TextsControl {...props} />;
    case "map":
      return <MapControl {...props} />;
    case "json":
      return <JsonEditor label={field.title} rows={5} value={value ?? null} onChange={props.onChange} />;
    default:
      return <TextControl {...props} />;
  }
}

function shown(value: Json | undefined): string {
  if (value === undefined || value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function TextControl({ field, value, control, onChange, numeric = false }: Props & { numeric?: boolean }) {
  return (
    <TextInput
      {...control}
      inputMode={numeric ? "decimal" : undefined}
      placeholder={field.example ?? undefined}
      className={cx(templated(value))}
      value={shown(value)}
      onChange={(event) => {
        const text = event.target.value;
        onChange(text === "" && !field.required ? undefined : numeric ? numberOrText(text) : text);
      }}
    />
  );
}

/** The name of an event type or of an entity type, with those that are known. */
function KnownNameControl({ field, value, control, onChange }: Props) {
  const events = field.format === "event-type";
  const eventTypes = useQuery({ ...eventTypesQuery, enabled: events }).data ?? [];
  const entityTypes = useQuery({ ...entityTypesQuery, enabled: !events }).data ?? [];
  const choices: Choice[] = events
    ? eventTypes.map((type) => ({ value: type.name, hint: type.title ?? undefined }))
    : entityTypes.map(({ type, count }) => ({ value: type, hint: count.toLocaleString() }));
  return (
    <Combobox
      {...control}
      value={shown(value)}
      placeholder={field.example ?? undefined}
      choices={choices}
      onChange={onChange}
    />
  );
}

function AreaControl({ field, value, control, onChange }: Props) {
  return (
    <TextArea
      {...control}
      rows={4}
      placeholder={field.example ?? undefined}
      value={shown(value)}
      onChange={(event) => onChange(event.target.value === "" && !field.required ? undefined : event.target.value)}
    />
  );
}

/** A program: its text as it is, in which nothing is a placeholder. */
function CodeControl({ field, value, error, control, onChange }: Props) {
  return (
    <>
      <CodeEditor
        {...control}
        value={shown(value)}
        placeholder={field.example ?? undefined}
        error={error ?? null}
        onChange={onChange}
      />
      <p className="text-xs text-faint">{texts.form.codeKeys}</p>
    </>
  );
}

function BooleanControl({ field, value, control, onChange }: Props) {
  return (
    <span className="flex h-8 items-center gap-2 text-sm text-soft">
      <Switch
        id={control.id}
        label={field.title}
        checked={(value ?? field.schema.default) === true}
        onChange={onChange}
      />
      {(value ?? field.schema.default) === true ? texts.values.yes : texts.values.no}
    </span>
  );
}

function ChoiceControl({ field, value, control, onChange }: Props) {
  const index = field.options.findIndex((option) => JSON.stringify(option) === JSON.stringify(value));
  return (
    <Select
      {...control}
      value={index}
      onChange={(event) =>
        onChange(Number(event.target.value) < 0 ? undefined : field.options[Number(event.target.value)])
      }
    >
      <option value={-1}>{texts.form.choose}</option>
      {field.options.map((option, at) => (
        <option key={shown(option)} value={at}>
          {shown(option)}
        </option>
      ))}
    </Select>
  );
}

function TextsControl({ value, control, onChange }: Props) {
  const items = Array.isArray(value) ? value : [];
  const change = (next: Json[]) => onChange(next.length ? next : undefined);
  return (
    <div className="flex flex-col gap-1.5">
      {items.map((item, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the place in the list is the item's identity
        <div key={index} className="flex gap-1">
          <TextInput
            id={index === 0 ? control.id : undefined}
            aria-label={texts.form.item(index + 1)}
            className={cx(templated(item))}
            value={shown(item)}
            onChange={(event) => change(items.map((old, at) => (at === index ? event.target.value : old)))}
          />
          <IconButton
            label={texts.actions.remove}
            icon={<X size={14} />}
            onClick={() => change(items.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <span>
        <Button
          id={items.length ? undefined : control.id}
          size="sm"
          look="quiet"
          icon={<Plus size={13} />}
          onClick={() => change([...items, ""])}
        >
          {texts.form.addItem}
        </Button>
      </span>
    </div>
  );
}

/** Free names and values: the fields of an entity, headers, and the like. */
function MapControl({ value, facts, control, onChange }: Props) {
  const entries: [string, Json][] =
    value !== null && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [];
  const change = (next: [string, Json][]) =>
    onChange(next.length ? (Object.fromEntries(next) as JsonObject) : undefined);
  const put = (at: number, entry: [string, Json]) => change(entries.map((old, index) => (index === at ? entry : old)));
  return (
    <div className="flex flex-col gap-1.5">
      {entries.map(([name, inner], index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the name changes while it is typed
        <div key={index} className="flex gap-1.5">
          <TextInput
            id={index === 0 ? control.id : undefined}
            aria-label={texts.form.key}
            placeholder={texts.form.key}
            className="max-w-40 font-mono text-xs!"
            value={name}
            onChange={(event) => put(index, [event.target.value, inner])}
          />
          <TextInput
            aria-label={`${name} ${texts.condition.value}`}
            className={cx(templated(inner))}
            value={shown(inner)}
            onChange={(event) =>
              put(index, [name, typeof inner === "number" ? numberOrText(event.target.value) : event.target.value])
            }
          />
          <InsertData
            label={texts.form.insertInto(name)}
            facts={facts}
            iconOnly
            onPick={(path) => put(index, [name, placeholder(path)])}
          />
          <IconButton
            label={texts.actions.remove}
            icon={<X size={14} />}
            onClick={() => change(entries.filter((_, at) => at !== index))}
          />
        </div>
      ))}
      <span>
        <Button
          size="sm"
          look="quiet"
          icon={<Plus size={13} />}
          disabled={entries.some(([name]) => name === "")}
          onClick={() => change([...entries, ["", ""]])}
        >
          {texts.form.addEntry}
        </Button>
      </span>
    </div>
  );
}
