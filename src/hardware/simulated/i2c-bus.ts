import type { Clock } from "../../core/clock.ts";
import { GatewayError, isGatewayError } from "../../core/errors.ts";
import type { I2cBus, I2cTransfer } from "../i2c.ts";
import { type SerialQueue, serialQueue } from "../queue.ts";
import { hexAddress, type Step, stepsOf } from "../transfer.ts";
import type { SimulatedChip } from "./chip.ts";

const MAX_PENDING = 256;
/** The kernel's adapters give up on a dead bus after a second. */
const HANG_MS = 1000;

/** What is wrong with one address, until it is taken back. */
export interface I2cFault {
  /** It does not acknowledge: BUS_NACK. */
  readonly nak?: boolean;
  /** It holds the bus: BUS_TIMEOUT after a second, in which nobody else gets through. */
  readonly hang?: boolean;
  /** Every n-th transfer to it fails: BUS_IO. */
  readonly failEvery?: number;
  /** The last bit of every byte read is flipped. */
  readonly corrupt?: boolean;
}

/** An I2C bus with chips at register level. Chips come and go, and addresses go wrong, while it runs. */
export class SimulatedI2cBus implements I2cBus {
  readonly name: string;
  readonly #clock: Pick<Clock, "sleep">;
  readonly #queue: SerialQueue;
  readonly #chips = new Map<number, SimulatedChip>();
  readonly #faults = new Map<number, I2cFault>();
  readonly #transfers = new Map<number, number>();

  constructor(name: string, clock: Pick<Clock, "sleep">) {
    this.name = name;
    this.#clock = clock;
    this.#queue = serialQueue(name, MAX_PENDING);
  }

  /** Puts a chip at an address, in the place of what was there. */
  plug(address: number, chip: SimulatedChip): void {
    this.#chips.set(address, chip);
  }

  has(address: number): boolean {
    return this.#chips.has(address);
  }

  unplug(address: number): void {
    this.#chips.delete(address);
  }

  /** Replaces what is wrong with the address; nothing by default. */
  fault(address: number, fault: I2cFault = {}): void {
    this.#faults.set(address, fault);
  }

  transfer(transfers: readonly I2cTransfer[]): Promise<Uint8Array[]> {
    return this.#queue.run(async () => {
      const planned = transfers.map((transfer) => ({ transfer, steps: stepsOf(this.name, transfer) }));
      const answers: Uint8Array[] = [];
      for (const { transfer, steps } of planned) answers.push(await this.#make(transfer.address, steps));
      return answers;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
  }

  async #make(address: number, steps: readonly Step[]): Promise<Uint8Array> {
    const fault = this.#faults.get(address) ?? {};
    await this.#fail(address, fault);
    const chip = this.#chips.get(address);
    if (!chip || fault.nak) throw this.#nack(address);
    try {
      let read = new Uint8Array();
      for (const step of steps) read = perform(chip, step);
      return fault.corrupt ? read.map((byte) => byte ^ 1) : read;
    } catch (cause) {
      throw isGatewayError(cause, "BUS_NACK") ? this.#nack(address) : cause;
    }
  }

  async #fail(address: number, { hang, failEvery }: I2cFault): Promise<void> {
    const count = (this.#transfers.get(address) ?? 0) + 1;
    this.#transfers.set(address, count);
    if (hang) {
      await this.#clock.sleep(HANG_MS);
      throw new GatewayError("BUS_TIMEOUT", `${this.#where(address)} did not answer in time`);
    }
    if (failEvery && count % failEvery === 0) throw new GatewayError("BUS_IO", `${this.#where(address)} failed (EIO)`);
  }

  #nack(address: number): GatewayError {
    return new GatewayError("BUS_NACK", `no answer at ${this.#where(address)}`);
  }

  #where(address: number): string {
    return `${hexAddress(address)} on ${this.name}`;
  }
}

function perform(chip: SimulatedChip, step: Step): Uint8Array<ArrayBuffer> {
  if (step.kind !== "read") chip.write(step.kind === "write" ? step.bytes : Uint8Array.of(step.register));
  return step.kind === "write" ? new Uint8Array() : Uint8Array.from(chip.read(step.length));
}
