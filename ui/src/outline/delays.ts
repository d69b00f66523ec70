import type { Json } from "@/api/types";

export type DelayKind = "duration" | "until" | "custom";

const SHORT = /^\s*([\d.]*)\s*([smhdw])\s*$/;
const byName: Record<string, string> = { seconds: "s", minutes: "m", hours: "h", days: "d", weeks: "w" };

/** A delay the simple form can show: `"24h"` or `{"hours": 24}`. */
export function shortDelay(delay: Json | undefined): { amount: string; unit: string } | null {
  if (typeof delay === "string") {
    const match = SHORT.exec(delay);
    return match ? { amount: match[1] ?? "", unit: match[2] ?? "h" } : null;
  }
  if (delay === null || typeof delay !== "object" || Array.isArray(delay)) return null;
  const [only, ...others] = Object.entries(delay);
  const unit = only && byName[only[0]];
  return only && unit && others.length === 0 && typeof only[1] === "number" ? { amount: String(only[1]), unit } : null;
}

export function untilOf(delay: Json | undefined): string {
  const until = delay !== null && typeof delay === "object" && !Array.isArray(delay) ? delay?.until : undefined;
  return typeof until === "string" ? until : "";
}

export function delayKind(delay: Json | undefined): DelayKind {
  if (shortDelay(delay)) return "duration";
  const isObject = delay !== null && typeof delay === "object" && !Array.isArray(delay);
  if (isObject && typeof delay?.until === "string" && Object.keys(delay).length === 1) return "until";
  return "custom";
}
