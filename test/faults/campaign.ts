import { writeSync } from "node:fs";

/** How many rounds a campaign takes: all of them, or, under `scripts/faults --quick`, what fits in ten minutes with the others. */
export function rounds(full: number, quick: number): number {
  return process.env.FIELDPOST_FAULTS === "quick" ? quick : full;
}

/** Prints what a campaign measured, on one line: `figures: kill -9 of the store: rounds 1000, lost 0`. */
export function figures(title: string, measured: Readonly<Record<string, number | string>>): void {
  const shown = Object.entries(measured).map(([name, value]) => `${name} ${value}`);
  writeSync(2, `figures: ${title}: ${shown.join(", ")}\n`);
}
