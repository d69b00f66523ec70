import { Field, Select } from "@/parts/Field";
import { texts } from "@/texts";
import type { BodyProps } from "./EditorBody";
import { SegmentField } from "./SegmentField";

/** Which segment somebody joins or leaves. */
export function SegmentForm({ document, checks, onEdit }: BodyProps) {
  const put = (change: { segment?: string; on?: string }) =>
    onEdit({ ...document, trigger: { ...document.trigger, ...change } }, "trigger");
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <SegmentField
        value={String(document.trigger.segment ?? "")}
        error={checks.problems.find((problem) => problem.path.startsWith("trigger"))?.message}
        onChange={(segment) => put({ segment })}
      />
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
