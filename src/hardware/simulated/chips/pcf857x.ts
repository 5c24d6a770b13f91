import type { Level } from "../../gpio.ts";
import type { SimulatedChip } from "../chip.ts";

/** PCF8574 (one port) and PCF8575: what is written is the latch, what is read are the pins (SCPS068J, §8.1). */
export class Pcf857xChip implements SimulatedChip {
  readonly #ports: 1 | 2;
  readonly #outside: (pin: number) => Level | undefined;
  #latch: number;
  #read: number;
  /** Called where the interrupt pin changes: low while a pin differs from what was read last. */
  onInterrupt: (level: Level) => void = () => undefined;
  #interrupt: Level = 1;

  constructor(ports: 1 | 2, outside: (pin: number) => Level | undefined) {
    this.#ports = ports;
    this.#outside = outside;
    this.#latch = 2 ** (8 * ports) - 1;
    this.#read = this.#levels();
  }

  /** Power-on: all pins at 1. */
  reset(): void {
    this.#latch = 2 ** (8 * this.#ports) - 1;
    this.moved();
  }

  level(pin: number): Level {
    return (this.#levels() >> pin) & 1 ? 1 : 0;
  }

  /** Is the pin held low, so that whoever pulls it up from outside makes a short circuit? */
  isLow(pin: number): boolean {
    return ((this.#latch >> pin) & 1) === 0;
  }

  moved(): void {
    const level = this.#levels() === this.#read ? 1 : 0;
    if (level === this.#interrupt) return;
    this.#interrupt = level;
    this.onInterrupt(level);
  }

  /** The ports take turns, byte by byte. */
  write(bytes: Uint8Array): void {
    bytes.forEach((byte, index) => {
      const shift = 8 * (index % this.#ports);
      this.#latch = (this.#latch & ~(0xff << shift)) | (byte << shift);
    });
    // A write resets the interrupt, too.
    this.#read = this.#levels();
    this.moved();
  }

  read(length: number): Uint8Array {
    this.#read = this.#levels();
    this.moved();
    return Uint8Array.from({ length }, (_, index) => (this.#read >> (8 * (index % this.#ports))) & 0xff);
  }

  /** A pin at 1 is pulled up so weakly that whatever is outside wins. */
  #levels(): number {
    let levels = 0;
    for (let pin = 0; pin < 8 * this.#ports; pin++) {
      const high = this.isLow(pin) ? 0 : (this.#outside(pin) ?? 1);
      levels |= high << pin;
    }
    return levels;
  }
}
