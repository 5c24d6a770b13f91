import type { FileWrite } from "./files.ts";

/**
 * The PWM port: pins whose level the hardware switches by itself, without this process.
 *
 * Errors: PIN_MISSING, PIN_BUSY, ACCESS_DENIED, FILE_IO.
 */
export interface Pwm extends AsyncDisposable {
  /** Claims a pin until it is disposed of. Its first duty is `initial`: it is given no other before. */
  output(pin: PwmPin, settings: PwmSettings): Promise<PwmOutput>;
}

/** A BCM number, or a channel of another chip by its device's name: `1-0040` is a PCA9685 at 0x40 on i2c-1. */
export type PwmPin = number | { readonly chip: string; readonly channel: number };

export interface PwmSettings {
  readonly periodNs: number;
  /** 0 to 1: the share of the period in which the pin is high. */
  readonly initial: number;
}

/** The duty outlives the process: at disposal the hardware goes on with it. */
export interface PwmOutput extends AsyncDisposable {
  /** 0 to 1. */
  set(duty: number): Promise<void>;
  /** Read back from the kernel; 0 while the channel is off. */
  duty(): Promise<number>;
  /** How it is set when this process is dead; left out where no file does that. */
  byFile?(duty: number): FileWrite;
}

export function pwmPinName(pin: PwmPin): string {
  return typeof pin === "number" ? `pin ${pin}` : `channel ${pin.channel} of ${pin.chip}`;
}
