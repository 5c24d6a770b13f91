import { GatewayError } from "../../core/errors.ts";
import { type Pwm, type PwmOutput, type PwmPin, type PwmSettings, pwmPinName } from "../pwm.ts";

/** The header's pins that have PWM, each with a channel of its own. */
const PINS: readonly number[] = [12, 13, 18, 19];
const CHANNELS = 16;

/** PWM on the header's four pins, and on a chip `sim` with sixteen channels. */
export class SimulatedPwm implements Pwm {
  readonly #duties = new Map<string, number>();
  readonly #claims = new Set<string>();
  #isClosed = false;

  /** What the pin gives, seen from outside; undefined where nobody ever drove it. */
  given(pin: PwmPin): number | undefined {
    return this.#duties.get(pwmPinName(pin));
  }

  async output(pin: PwmPin, { initial }: PwmSettings): Promise<PwmOutput> {
    const name = pwmPinName(pin);
    if (this.#isClosed) throw new GatewayError("CANCELLED", "the PWM port is closed");
    if (!exists(pin)) throw new GatewayError("PIN_MISSING", `no PWM for ${name} on sim`);
    if (this.#claims.has(name)) throw new GatewayError("PIN_BUSY", `${name} on sim is in use`);
    this.#claims.add(name);
    this.#duties.set(name, initial);
    let isReleased = false;
    const use = () => {
      if (isReleased || this.#isClosed) throw new GatewayError("CANCELLED", `${name} on sim was given back`);
    };
    return {
      set: async (duty) => {
        use();
        this.#duties.set(name, duty);
      },
      duty: async () => {
        use();
        return this.#duties.get(name) ?? 0;
      },
      [Symbol.asyncDispose]: async () => {
        if (!isReleased) this.#claims.delete(name);
        isReleased = true;
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
  }
}

function exists(pin: PwmPin): boolean {
  if (typeof pin === "number") return PINS.includes(pin);
  return pin.chip === "sim" && Number.isInteger(pin.channel) && pin.channel >= 0 && pin.channel < CHANNELS;
}
