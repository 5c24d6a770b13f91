import type { Clock } from "../../core/clock.ts";
import { GatewayError, isGatewayError } from "../../core/errors.ts";
import type { Edge, Gpio, GpioInput, GpioOutput, InputWishes, Level } from "../gpio.ts";
import type { ExpanderChip, ExpanderLook, ExpanderState } from "./chip.ts";

export interface ExpanderParts {
  /** For messages: `0x20 on i2c-1`. */
  readonly name: string;
  readonly chip: ExpanderChip;
  readonly clock: Pick<Clock, "monoMs" | "sleep">;
  /** How often inputs are looked at, where nothing tells of changes. */
  readonly pollMs: number;
  /** The pin of the Pi that the chip's interrupt is wired to. */
  openInterrupt?(): Promise<GpioInput>;
}

/** How often the chip is looked at in any case: whether a brown-out has reset it, and for what an interrupt did not tell. */
const CHECK_MS = 1000;

interface Claim {
  level: Level;
  listener?: (edge: Edge) => void;
}

/** An expander's pins as pins. Its errors are those of the GPIO port and of the I2C port. */
export class Expander implements Gpio {
  readonly name: string;
  readonly #parts: ExpanderParts;
  readonly #claims = new Map<number, Claim>();
  /** As the chip is to be; undefined while nobody has a pin. */
  #state: ExpanderState | undefined;
  #interrupt: Promise<GpioInput> | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #rounds = new AbortController();
  #isFailing = false;
  #bug: { readonly error: unknown } | undefined;
  #isClosed = false;
  /** How often it was found reset, and set up again. */
  resets = 0;

  constructor(parts: ExpanderParts) {
    this.name = parts.name;
    this.#parts = parts;
  }

  async input(pin: number, { pull }: InputWishes = {}): Promise<GpioInput> {
    if (pull !== undefined && !this.#parts.chip.pulls.includes(pull)) {
      throw new GatewayError(
        "CONFIG_INVALID",
        `${this.name} has no \`pull: ${pull}\`, only ${this.#parts.chip.pulls.join(", ")}`,
      );
    }
    const claim: Claim = { level: 0 };
    await this.#claim(pin, claim, async (bit) => {
      await this.#listen();
      await this.#arrange((state) => ({
        inputs: state.inputs | bit,
        latch: state.latch,
        pullUps: pull === "up" ? state.pullUps | bit : pull === "off" ? state.pullUps & ~bit : state.pullUps,
        watched: state.watched | bit,
      }));
      claim.level = levelOf(await this.#look(), bit);
    });
    return {
      pin,
      losses: 0,
      level: async () => levelOf(await this.#use(pin, claim, () => this.#look()), 1 << pin),
      onEdge: (listener) => {
        claim.listener = listener;
        this.#startRounds();
      },
      [Symbol.asyncDispose]: () => this.#release(pin, claim),
    };
  }

  async output(pin: number, initial: Level): Promise<GpioOutput> {
    const claim: Claim = { level: initial };
    const latched = (state: ExpanderState, level: Level) =>
      level ? state.latch | (1 << pin) : state.latch & ~(1 << pin);
    await this.#claim(pin, claim, async (bit) => {
      await this.#arrange((state) => ({
        inputs: state.inputs & ~bit,
        latch: latched(state, initial),
        pullUps: state.pullUps,
        watched: state.watched & ~bit,
      }));
    });
    return {
      pin,
      set: async (level) => await this.#use(pin, claim, () => this.#drive((state) => latched(state, level))),
      level: async () => levelOf(await this.#use(pin, claim, () => this.#look()), 1 << pin),
      [Symbol.asyncDispose]: () => this.#release(pin, claim),
    };
  }

  /** Is it there, and as it is to be? One that was reset is set up again. */
  async check(): Promise<void> {
    if (this.#bug) throw this.#bug.error;
    await this.#alone(async () => {
      const { chip } = this.#parts;
      if (!this.#state) return void (await chip.look());
      if (await chip.holds(this.#state)) return;
      await chip.arrange(this.#state);
      this.resets++;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#claims].map(([pin, claim]) => this.#release(pin, claim)));
    await this.#queue;
  }

  async #claim(pin: number, claim: Claim, open: (bit: number) => Promise<void>): Promise<void> {
    const { lines } = this.#parts.chip;
    if (this.#isClosed) throw new GatewayError("CANCELLED", `${this.name} is closed`);
    if (!Number.isInteger(pin) || pin < 0 || pin >= lines) {
      throw new GatewayError("PIN_MISSING", `there is no pin ${pin} on ${this.name}: it has 0 to ${lines - 1}`);
    }
    if (this.#claims.has(pin)) throw new GatewayError("PIN_BUSY", `pin ${pin} of ${this.name} is in use`);
    this.#claims.set(pin, claim);
    try {
      await open(1 << pin);
    } catch (error) {
      await this.#release(pin, claim);
      throw error;
    }
    this.#startRounds();
  }

  /** What was driven stays so: the chip holds it. */
  async #release(pin: number, claim: Claim): Promise<void> {
    if (this.#claims.get(pin) !== claim) return;
    this.#claims.delete(pin);
    if (this.#claims.size > 0) return;
    this.#rounds.abort();
    this.#state = undefined;
    const interrupt = this.#interrupt;
    this.#interrupt = undefined;
    await (await interrupt?.catch(() => undefined))?.[Symbol.asyncDispose]();
  }

  async #use<T>(pin: number, claim: Claim, access: () => Promise<T>): Promise<T> {
    if (this.#claims.get(pin) !== claim)
      throw new GatewayError("CANCELLED", `pin ${pin} of ${this.name} was given back`);
    if (this.#bug) throw this.#bug.error;
    return await access();
  }

  #arrange(change: (state: ExpanderState) => ExpanderState): Promise<void> {
    return this.#alone(async () => {
      const next = change(this.#state ?? (await this.#parts.chip.begin()));
      await this.#parts.chip.arrange(next);
      this.#state = next;
    });
  }

  #drive(latch: (state: ExpanderState) => number): Promise<void> {
    return this.#alone(async () => {
      if (!this.#state) return;
      const next = { ...this.#state, latch: latch(this.#state) };
      await this.#parts.chip.drive(next);
      this.#state = next;
    });
  }

  #look(atMs?: number): Promise<number> {
    return this.#alone(async () => {
      const look = await this.#parts.chip.look();
      this.#tell(look, atMs ?? this.#parts.clock.monoMs());
      return look.levels;
    });
  }

  #tell({ levels, changed }: ExpanderLook, monoMs: number): void {
    for (const [pin, claim] of this.#claims) {
      const bit = 1 << pin;
      const passed = changed && (changed.pins & bit) !== 0 ? [levelOf(changed.levels, bit)] : [];
      for (const level of [...passed, levelOf(levels, bit)]) {
        if (!claim.listener || level === claim.level) continue;
        claim.level = level;
        claim.listener({ level, monoMs });
      }
    }
  }

  /** One after the other: pins share registers. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#queue.then(work);
    this.#queue = mine.catch(() => undefined);
    return mine;
  }

  async #listen(): Promise<void> {
    const { openInterrupt } = this.#parts;
    if (!openInterrupt) return;
    if (this.#interrupt !== undefined) return void (await this.#interrupt);
    const opening = openInterrupt();
    this.#interrupt = opening;
    try {
      (await opening).onEdge(({ level, monoMs }) => {
        if (level === 0) void this.#round(monoMs);
      });
    } catch (error) {
      this.#interrupt = undefined;
      throw error;
    }
  }

  #startRounds(): void {
    this.#rounds.abort();
    this.#rounds = new AbortController();
    void this.#goRound(this.#rounds.signal);
  }

  async #goRound(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    let checkedMs = clock.monoMs();
    for (;;) {
      try {
        await clock.sleep(this.#pauseMs(), signal);
      } catch {
        return;
      }
      const isCheckDue = clock.monoMs() - checkedMs >= CHECK_MS;
      if (isCheckDue) checkedMs = clock.monoMs();
      await this.#round(undefined, isCheckDue);
    }
  }

  #pauseMs(): number {
    const isPolled = !this.#interrupt && [...this.#claims.values()].some(({ listener }) => listener);
    return isPolled && !this.#isFailing ? this.#parts.pollMs : CHECK_MS;
  }

  /** What fails here fails for whoever reads or drives a pin, too, and is told there. */
  async #round(atMs?: number, andCheck = false): Promise<void> {
    try {
      if (andCheck) await this.check();
      await this.#look(atMs);
      this.#isFailing = false;
    } catch (error) {
      this.#isFailing = true;
      if (!isGatewayError(error)) this.#bug = { error };
    }
  }
}

function levelOf(levels: number, bit: number): Level {
  return (levels & bit) === 0 ? 0 : 1;
}
