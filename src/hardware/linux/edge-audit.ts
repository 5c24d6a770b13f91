/** After so long without an edge, what the kernel counted has been told, or never will be. */
const QUIET_MS = 5000;

/** The kernel's count of a line's interrupts, which it had at some moment between these. */
interface Count {
  readonly interrupts: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Edges heard that are not younger than `fromMs`, once a younger one came. */
  heardFrom?: number;
}

/**
 * Compares the edges that were heard of a line with the interrupts that the kernel counted for it: gpiomon prints no
 * sequence numbers, and where an even number of edges is lost together the levels still alternate. Edges come in order, so
 * when one comes that is younger than a count, all that the count is of have been heard, or are lost. Never a false alarm:
 * of a count only what was heard until after it is missed.
 */
export class EdgeAudit {
  readonly #onMissed: (edges: number) => void;
  /** Interrupts before the first edge; more, for each edge that was missed. */
  #base: number;
  #heard = 0;
  #count: Count | undefined;

  constructor(interrupts: number, onMissed: (edges: number) => void) {
    this.#base = interrupts;
    this.#onMissed = onMissed;
  }

  /** Times are the kernel's: CLOCK_MONOTONIC. */
  heard(kernelMs: number): void {
    const count = this.#count;
    if (count && kernelMs > count.fromMs) count.heardFrom ??= this.#heard;
    if (count && kernelMs > count.toMs) this.#settle(count);
    this.#heard++;
  }

  counted(count: Omit<Count, "heardFrom">): void {
    if (this.#count && count.fromMs - this.#count.toMs >= QUIET_MS) this.#settle(this.#count);
    this.#count ??= { ...count };
  }

  #settle({ interrupts, heardFrom = this.#heard }: Count): void {
    this.#count = undefined;
    const edges = interrupts - this.#base;
    // Some came after the line was claimed and before the first count was taken.
    if (edges < heardFrom) this.#base = interrupts - heardFrom;
    if (edges <= this.#heard) return;
    this.#base += edges - this.#heard;
    this.#onMissed(edges - this.#heard);
  }
}

/**
 * Interrupts of a line that gpiomon holds, from /proc/interrupts: on a Pi ` 55:  12  0  pinctrl-bcm2835  17 Edge  gpiomon`.
 * Undefined where there is no such row, or where another chip has one, too.
 */
export function interruptsOf(table: string, pin: number): number | undefined {
  const rows = [...table.matchAll(/^ *\d+:((?: +\d+)+) +\S+ +(\d+)(?: +(?:Edge|Level))? +gpiomon$/gm)];
  const counts = rows.filter(([, , line]) => Number(line) === pin).map(([, perCpu = ""]) => perCpu);
  const [counted] = counts;
  if (counted === undefined || counts.length > 1) return undefined;
  return counted
    .trim()
    .split(/ +/)
    .reduce((sum, count) => sum + Number(count), 0);
}
