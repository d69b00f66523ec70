/** How far some work is, as a bar and in words. */
export function ProgressBar({ value, max, text }: { value: number; max: number; text: string }) {
  return (
    <div className="flex items-center gap-3">
      <progress
        value={value}
        max={max}
        aria-label={text}
        className="h-2 flex-1 appearance-none overflow-hidden rounded-full bg-idle-wash [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-idle-wash [&::-webkit-progress-value]:bg-accent"
      />
      <span className="text-xs text-soft tabular-nums">{text}</span>
    </div>
  );
}
