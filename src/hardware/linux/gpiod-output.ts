import { GatewayError } from "../../core/errors.ts";
import type { GpioOutput, Level } from "../gpio.ts";
import type { RunningTool } from "./gpio-tools.ts";
import type { ToolLine } from "./gpiod-dialect.ts";
import { type Session, startHolding, toolFault } from "./gpiod-session.ts";

const ANSWER_WITHIN_MS = 2000;

/** Drives a line by a `gpioset` that stays. Its level is undefined once that has ended: sysfs is asked first. */
export async function openGpiodOutput(
  session: Session,
  line: ToolLine,
  initial: Level,
  release: () => void,
): Promise<GpioOutput> {
  const output = new GpiodOutput(session, line, release);
  await output.hold(initial);
  return output;
}

class GpiodOutput implements GpioOutput {
  readonly pin: number;
  readonly #session: Session;
  readonly #line: ToolLine;
  readonly #release: () => void;
  #isReleased = false;
  #level: Level = 0;
  #holder: RunningTool | undefined;
  #fault: GatewayError | undefined;
  #answered: (level: Level) => void = () => undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(session: Session, line: ToolLine, release: () => void) {
    this.pin = line.pin;
    this.#session = session;
    this.#line = line;
    this.#release = release;
  }

  async set(level: Level): Promise<void> {
    const turn = this.#turn.then(async () => {
      this.#refuseIfReleased();
      if (!this.#holder || !(await this.#order(this.#holder, level))) await this.hold(level);
    });
    this.#turn = turn.catch(() => undefined);
    await turn;
  }

  async level(): Promise<Level> {
    this.#refuseIfReleased();
    if (this.#fault) throw this.#fault;
    return this.#level;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    await this.#turn;
    await this.#drop();
    this.#release();
  }

  /** With another gpioset in place of the one before; between them the line is nobody's for some milliseconds. */
  async hold(level: Level): Promise<void> {
    await this.#drop();
    this.#fault = new GatewayError("FILE_IO", `pin ${this.pin} is driven by nobody`);
    const { dialect } = this.#session;
    const onLine = (text: string) => {
      const answer = dialect.order?.answer(text);
      if (answer !== undefined) this.#answered(answer);
    };
    const holder = await startHolding(this.#session, this.#line, [
      "gpioset",
      dialect.hold(this.#line, level),
      { onLine },
    ]);
    this.#holder = holder;
    this.#fault = undefined;
    this.#level = level;
    void holder.ended.then((end) => {
      if (this.#holder !== holder) return;
      this.#holder = undefined;
      this.#fault = toolFault("gpioset", this.#line, end);
    });
  }

  /** False where it takes no orders, or did not carry this one out. */
  async #order(holder: RunningTool, level: Level): Promise<boolean> {
    const { clock, dialect } = this.#session;
    if (!dialect.order) return false;
    const answer = new Promise<Level>((resolve) => {
      this.#answered = resolve;
    });
    const over = new AbortController();
    holder.write(dialect.order.set(this.#line, level));
    const late = clock.sleep(ANSWER_WITHIN_MS, over.signal).catch(() => undefined);
    const set = await Promise.race([answer, late, holder.ended.then(() => undefined)]);
    over.abort(new Error("answered"));
    if (set !== level) return false;
    this.#level = level;
    return true;
  }

  async #drop(): Promise<void> {
    const holder = this.#holder;
    this.#holder = undefined;
    await holder?.stop();
  }

  #refuseIfReleased(): void {
    if (this.#isReleased) throw new GatewayError("CANCELLED", `pin ${this.pin} was given back`);
  }
}
