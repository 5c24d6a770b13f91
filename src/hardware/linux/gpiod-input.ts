import { GatewayError, isGatewayError } from "../../core/errors.ts";
import type { Edge, GpioInput, InputWishes, Level } from "../gpio.ts";
import { EdgeAudit } from "./edge-audit.ts";
import type { RunningTool } from "./gpio-tools.ts";
import type { ToolLine } from "./gpiod-dialect.ts";
import { readLevel, type Session, startHolding, toolFault } from "./gpiod-session.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;

/** Claims a line by a `gpiomon` that is started again when it dies. */
export async function openGpiodInput(
  session: Session,
  line: ToolLine,
  wishes: InputWishes,
  release: () => void,
): Promise<GpioInput> {
  const input = new GpiodInput(session, line, wishes, release);
  await input.begin();
  return input;
}

/**
 * The level is what the last edge left: a line that gpiomon holds cannot be read. Between `gpioget` and gpiomon an edge may
 * pass unheard; the next one tells it (two in a row to one level), and counts as a loss.
 */
class GpiodInput implements GpioInput {
  readonly pin: number;
  losses = 0;
  readonly #session: Session;
  readonly #line: ToolLine;
  readonly #wishes: InputWishes;
  readonly #release: () => void;
  readonly #stop = new AbortController();
  #monitor: RunningTool | undefined;
  #supervising: Promise<void> | undefined;
  #fault: GatewayError | undefined;
  #known: Level = 0;
  #listener: (edge: Edge) => void = () => undefined;
  #audit: EdgeAudit | undefined;
  /** What was missed until here is in `losses`. */
  #toldLosses = 0;
  /** From CLOCK_MONOTONIC to our clock. One for a gpiomon's life, so that the time between edges is the kernel's. */
  #offsetMs = 0;

  constructor(session: Session, line: ToolLine, wishes: InputWishes, release: () => void) {
    this.pin = line.pin;
    this.#session = session;
    this.#line = line;
    this.#wishes = wishes;
    this.#release = release;
  }

  async level(): Promise<Level> {
    this.#refuseIfReleased();
    if (this.#fault) throw this.#fault;
    await this.#look();
    return this.#known;
  }

  onEdge(listener: (edge: Edge) => void): void {
    this.#refuseIfReleased();
    this.#listener = listener;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stop.signal.aborted) return;
    this.#stop.abort(new Error("released"));
    await this.#monitor?.stop();
    await this.#supervising;
    this.#release();
  }

  async begin(): Promise<void> {
    await this.#claim();
    this.#supervising = this.#supervise();
  }

  /** Reads the level, then listens. */
  async #claim(): Promise<void> {
    const { clock, dialect, kernelNowMs } = this.#session;
    const { pull, batchMs } = this.#wishes;
    this.#missed(await readLevel(this.#session, this.#line, pull));
    this.#offsetMs = clock.monoMs() - kernelNowMs();
    const audit = new EdgeAudit(() => this.#missedSome());
    this.#audit = audit;
    const onLine = (text: string) => this.#heard(text);
    const options = batchMs === undefined ? { onLine } : { onLine, batchMs };
    this.#monitor = await startHolding(this.#session, this.#line, [
      "gpiomon",
      dialect.monitor(this.#line, pull),
      options,
    ]);
    if (this.#stop.signal.aborted) await this.#monitor.stop();
    this.#toldLosses = this.losses;
    const interrupts = await this.#session.tools.interrupts(this.pin);
    if (interrupts !== undefined) audit.begin(interrupts);
  }

  async #look(): Promise<void> {
    const { kernelNowMs, tools } = this.#session;
    const audit = this.#audit;
    if (!audit?.asks(kernelNowMs())) return;
    audit.answered(await tools.interrupts(this.pin), kernelNowMs());
  }

  /** Once for one occasion: an odd number of edges was seen by the levels already. */
  #missedSome(): void {
    if (this.losses === this.#toldLosses) this.losses++;
    this.#toldLosses = this.losses;
  }

  /** Until disposal: what was missed while gpiomon was dead counts as a loss. */
  async #supervise(): Promise<void> {
    const { signal } = this.#stop;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; ) {
      const end = await this.#monitor?.ended;
      if (signal.aborted) return;
      if (end) {
        this.losses++;
        this.#fault = toolFault("gpiomon", this.#line, end);
        this.#monitor = undefined;
      }
      await this.#session.clock.sleep(pauseMs, signal).catch(() => undefined);
      pauseMs = (await this.#claimAgain()) ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
    }
  }

  async #claimAgain(): Promise<boolean> {
    if (this.#stop.signal.aborted) return false;
    try {
      await this.#claim();
      this.#fault = undefined;
      return true;
    } catch (error) {
      if (!isGatewayError(error)) throw error;
      this.#fault = error;
      return false;
    }
  }

  /** An edge that nobody heard has left this level. */
  #missed(level: Level): void {
    if (level === this.#known) return;
    this.#known = level;
    this.#listener({ level, monoMs: this.#session.clock.monoMs() });
  }

  #heard(text: string): void {
    const edge = this.#session.dialect.edge(text);
    if (!edge || this.#stop.signal.aborted) return;
    this.#audit?.heard(edge.kernelMs);
    if (edge.level === this.#known) this.losses++;
    this.#known = edge.level;
    this.#listener({ level: edge.level, monoMs: edge.kernelMs + this.#offsetMs });
  }

  #refuseIfReleased(): void {
    if (this.#stop.signal.aborted) throw new GatewayError("CANCELLED", `pin ${this.pin} was given back`);
  }
}
