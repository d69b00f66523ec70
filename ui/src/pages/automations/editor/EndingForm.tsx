import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import { eventTypesQuery } from "@/api/events";
import type { CancelOn } from "@/api/types";
import { ConditionBuilder } from "@/condition-builder/ConditionBuilder";
import { asGroup } from "@/condition-builder/model";
import { MatchForm } from "@/outline/MatchForm";
import { outputsBefore } from "@/outline/outputs";
import { errorAt, errorJustAt } from "@/outline/problems";
import { Button, IconButton } from "@/parts/Button";
import { Combobox } from "@/parts/Combobox";
import { Field, FieldError } from "@/parts/Field";
import { texts } from "@/texts";
import type { BodyProps } from "./EditorBody";
import { FormHead } from "./FormHead";

/** What ends a run before its last step: a goal, an exit, and the events that cancel it. */
export function EndingForm(props: BodyProps) {
  return (
    <>
      <FormHead title={texts.ending.title} lead={texts.ending.lead} />
      <div className="flex flex-col gap-7">
        <EndCondition {...props} name="goal" />
        <EndCondition {...props} name="exit" />
        <CancelEvents {...props} />
      </div>
    </>
  );
}

/** A condition that ends a run in order; it may read what its steps gave so far. */
function EndCondition({ name, document, facts, operators, checks, onEdit }: BodyProps & { name: "goal" | "exit" }) {
  const all = useMemo(
    () => [...facts, ...outputsBefore(document.steps, document.steps.length)],
    [facts, document.steps],
  );
  return (
    <Part title={texts.ending[name]} lead={texts.ending.leads[name]}>
      <ConditionBuilder
        value={asGroup(document[name])}
        onChange={(group) => onEdit({ ...document, [name]: group.rules.length ? group : undefined }, name)}
        facts={all}
        operators={operators}
        sample={null}
        problems={checks.problems}
        at={name}
        empty={texts.ending.never[name]}
      />
    </Part>
  );
}

function Part({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <section aria-label={title}>
      <h4 className="text-sm font-medium">{title}</h4>
      <p className="mb-2 text-xs text-faint">{lead}</p>
      {children}
    </section>
  );
}

function CancelEvents({ document, checks, facts, onEdit }: BodyProps) {
  const types = useQuery(eventTypesQuery).data ?? [];
  const listed = Array.isArray(document.cancel_on) ? document.cancel_on : [];
  const put = (next: CancelOn[], touched: string | null = null) =>
    onEdit({ ...document, cancel_on: next.length ? next : undefined }, touched);
  const bad = errorJustAt(checks.problems, "cancel_on");
  return (
    <Part title={texts.ending.cancelOn} lead={texts.ending.leads.cancelOn}>
      <ul className="flex flex-col gap-3">
        {listed.map((one, at) => {
          const path = `cancel_on[${at}]`;
          const change = (changed: CancelOn) =>
            put(
              listed.map((old, place) => (place === at ? changed : old)),
              path,
            );
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: the event's name changes while it is typed
            <li key={at} className="card flex items-start gap-2 p-3.5">
              <div className="flex min-w-0 flex-1 flex-col gap-3">
                <Field
                  label={texts.trigger.event}
                  error={errorAt(checks.problems, `${path}.event`) ?? errorJustAt(checks.problems, path)}
                  required
                >
                  {(control) => (
                    <Combobox
                      {...control}
                      mono
                      placeholder="order/cancelled"
                      value={one.event ?? ""}
                      choices={types.map((type) => ({ value: type.name, hint: type.title ?? undefined }))}
                      onChange={(event) => change({ ...one, event })}
                    />
                  )}
                </Field>
                <MatchForm
                  match={one.match}
                  onChange={(match) => change(match === undefined ? { event: one.event } : { ...one, match })}
                  type={types.find((type) => type.name === one.event)}
                  facts={facts}
                  problems={checks.problems}
                  at={`${path}.match`}
                />
              </div>
              <IconButton
                danger
                label={texts.ending.removeCancel(at + 1)}
                icon={<X size={14} />}
                onClick={() => put(listed.filter((_, place) => place !== at))}
              />
            </li>
          );
        })}
      </ul>
      {bad && <FieldError>{bad}</FieldError>}
      <Button
        size="sm"
        className="mt-2"
        icon={<Plus size={13} />}
        onClick={() => put([...listed, { event: "", match: { "": "" } }])}
      >
        {texts.ending.addCancel}
      </Button>
    </Part>
  );
}
