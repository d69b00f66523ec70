import { useInfiniteQuery } from "@tanstack/react-query";
import { segmentsQuery } from "@/api/segments";
import { Field, Select } from "@/parts/Field";
import { texts } from "@/texts";
import type { BodyProps } from "./EditorBody";

/** Which segment somebody joins or leaves. */
export function SegmentForm({ document, checks, onEdit }: BodyProps) {
  const known = useInfiniteQuery(segmentsQuery).data?.pages.flatMap((page) => page.items.map((one) => one.name)) ?? [];
  const name = String(document.trigger.segment ?? "");
  const error = checks.problems.find((problem) => problem.path.startsWith("trigger"))?.message;
  const put = (change: { segment?: string; on?: string }) =>
    onEdit({ ...document, trigger: { ...document.trigger, ...change } }, "trigger");
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label={texts.trigger.segment} hint={texts.trigger.segmentHint} error={error} required>
        {(control) => (
          <Select {...control} value={name} onChange={(event) => put({ segment: event.target.value })}>
            <option value="">{texts.form.choose}</option>
            {[...new Set(name ? [name, ...known] : known)].sort().map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field label={texts.trigger.segmentOn}>
        {(control) => (
          <Select
            {...control}
            value={document.trigger.on === "left" ? "left" : "joined"}
            onChange={(event) => put({ on: event.target.value })}
          >
            <option value="joined">{texts.trigger.segmentOns.joined}</option>
            <option value="left">{texts.trigger.segmentOns.left}</option>
          </Select>
        )}
      </Field>
    </div>
  );
}
