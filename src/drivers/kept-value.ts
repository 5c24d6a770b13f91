import { z } from "zod";
import type { DriverContext } from "./driver.ts";

const envelope = z.object({
  boot: z.string(),
  monoMs: z.number(),
  wallMs: z.number(),
  serial: z.string(),
  value: z.unknown(),
});

export interface KeptValue<T> {
  /** What was kept of this very chip, unless it is too old, or its age cannot be told. */
  restore(): T | undefined;
  keep(value: T): void;
}

/** What a chip needs hours to learn, kept over restarts. Another chip in its place (by serial number) starts anew. */
export function keptValue<T>(
  { clock, memory }: DriverContext,
  { schema, serial, maxAgeMs }: { readonly schema: z.ZodType<T>; readonly serial: string; readonly maxAgeMs: number },
): KeptValue<T> {
  const ageMs = ({ boot, monoMs, wallMs }: z.output<typeof envelope>) => {
    if (boot === clock.bootId()) return clock.monoMs() - monoMs;
    // A Pi boots in the past: until a time source has set its clock, another boot's time says nothing.
    return clock.syncState() === "unsynced" ? Number.NaN : clock.wallMs() - wallMs;
  };
  return {
    restore() {
      const found = envelope.safeParse(parsed(memory.load()));
      if (!found.success || found.data.serial !== serial) return undefined;
      const age = ageMs(found.data);
      if (!(age >= 0 && age <= maxAgeMs)) return undefined;
      return schema.safeParse(found.data.value).data;
    },
    keep(value) {
      const { boot, ...now } = { boot: clock.bootId(), monoMs: clock.monoMs(), wallMs: clock.wallMs() };
      memory.save(JSON.stringify({ boot, ...now, serial, value }));
    },
  };
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    // Written by something else: as good as nothing.
    return undefined;
  }
}
