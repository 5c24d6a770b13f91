/** After so long without an edge, what the kernel counted has been told, or never will be. */
const QUIET_MS = 5000;

/** A question for the kernel's count of a line's interrupts. */
interface Question {
  readonly fromMs: number;
  /** Edges heard that are not younger than the question, once a younger one came. */
  heardFrom?: number;
  /** The count was taken at some moment before `toMs`. */
  answer?: { readonly interrupts: number; readonly toMs: number };
}

/**
 * Compares the edges that were heard of a line with the interrupts that the kernel counted for it: gpiomon prints no
 * sequence numbers, and where an even number of edges is lost together the levels still alternate. Edges come in order, so
 * when one comes that is younger than a count, all that the count is of have been heard, or are lost. Never a false alarm:
 * of a count only what was heard until after it is missed. Times are the kernel's: CLOCK_MONOTONIC.
 */
export class EdgeAudit {
  readonly #onMissed: (edges: number) => void;
  /** Interrupts before the first edge; more, for each edge that was missed. */
  #base: number | undefined;
  #heard = 0;
  #question: Question | undefined;

  /** Before the first edge can be heard. */
  constructor(onMissed: (edges: number) => void) {
    this.#onMissed = onMissed;
  }

  /** The count at some moment after that. */
  begin(interrupts: number): void {
    this.#base = interrupts;
  }

  heard(kernelMs: number): void {
    const question = this.#question;
    if (question && kernelMs > question.fromMs) question.heardFrom ??= this.#heard;
    if (question?.answer && kernelMs > question.answer.toMs) this.#settle();
    this.#heard++;
  }

  /** Is it time for a look at the kernel's count? Then `answered` must follow; edges may be heard in between. */
  asks(fromMs: number): boolean {
    const { answer } = this.#question ?? {};
    if (answer && fromMs - answer.toMs >= QUIET_MS) this.#settle();
    if (this.#base === undefined || this.#question) return false;
    this.#question = { fromMs };
    return true;
  }

  answered(interrupts: number | undefined, toMs: number): void {
    if (interrupts === undefined) this.#question = undefined;
    else if (this.#question) this.#question.answer = { interrupts, toMs };
  }

  #settle(): void {
    const { answer, heardFrom = this.#heard } = this.#question ?? {};
    this.#question = undefined;
    if (!answer || this.#base === undefined) return;
    const edges = answer.interrupts - this.#base;
    // Some were heard that had come before the first count.
    if (edges < heardFrom) this.#base = answer.interrupts - heardFrom;
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
