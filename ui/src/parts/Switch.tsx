import { Switch as Radix } from "radix-ui";

type Props = { checked: boolean; label: string; disabled?: boolean; onChange: (checked: boolean) => void; id?: string };

export function Switch({ checked, label, disabled, onChange, id }: Props) {
  return (
    <Radix.Root
      id={id}
      checked={checked}
      disabled={disabled}
      aria-label={label}
      onCheckedChange={onChange}
      className="relative h-[18px] w-8 shrink-0 rounded-full bg-line-strong transition-colors data-[state=checked]:bg-accent disabled:opacity-50"
    >
      <Radix.Thumb className="block size-3.5 translate-x-0.5 rounded-full bg-white shadow-sm transition-transform data-[state=checked]:translate-x-4" />
    </Radix.Root>
  );
}
