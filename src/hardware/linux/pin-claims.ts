import { GatewayError } from "../../core/errors.ts";
import { pinFault } from "./gpio-sysfs.ts";

/** Who has which pin of a chip: each is claimed once, and all are given back with the chip. */
export class PinClaims<Claim extends AsyncDisposable> implements AsyncDisposable {
  readonly #label: string;
  readonly #lines: number;
  readonly #claims = new Map<number, Promise<Claim>>();
  #isClosed = false;

  constructor(label: string, lines: number) {
    this.#label = label;
    this.#lines = lines;
  }

  /** Rejects with one of the port's errors, whatever `open` threw. */
  async claim<T extends Claim>(pin: number, open: () => Promise<T>): Promise<T> {
    if (this.#isClosed) throw new GatewayError("CANCELLED", `${this.#label} is closed`);
    if (!Number.isInteger(pin) || pin < 0 || pin >= this.#lines) {
      throw new GatewayError("PIN_MISSING", `there is no pin ${pin} on ${this.#label}: it has 0 to ${this.#lines - 1}`);
    }
    this.refuseClaimed(pin);
    const opening = open();
    this.#claims.set(pin, opening);
    try {
      return await opening;
    } catch (cause) {
      this.#claims.delete(pin);
      throw pinFault(pin, cause);
    }
  }

  /** Throws PIN_BUSY where somebody has it. */
  refuseClaimed(pin: number): void {
    if (this.#claims.has(pin)) throw new GatewayError("PIN_BUSY", `pin ${pin} is in use by another device`);
  }

  release(pin: number): void {
    this.#claims.delete(pin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const claims = await Promise.allSettled(this.#claims.values());
    const open = claims.filter((claim) => claim.status === "fulfilled").map(({ value }) => value);
    await Promise.all(open.map((claim) => claim[Symbol.asyncDispose]()));
  }
}
