import type { Clock } from "../../core/clock.ts";
import { GatewayError, isGatewayError } from "../../core/errors.ts";
import { type Pwm, type PwmOutput, type PwmPin, type PwmSettings, pwmPinName } from "../pwm.ts";
import { systemFault } from "./errno.ts";
import type { LinuxFiles } from "./files.ts";
import { configureChannel, exportChannel, findChannel, type PwmChannel } from "./pwm-sysfs.ts";

/** The kernel's PWM in sysfs. Channels stay exported and on when they are given back: the duty is to outlive this process. */
export class LinuxPwm implements Pwm {
  readonly #files: LinuxFiles;
  readonly #clock: Pick<Clock, "monoMs" | "sleep">;
  readonly #claims = new Map<string, PwmPin>();
  #isClosed = false;

  constructor(files: LinuxFiles, clock: Pick<Clock, "monoMs" | "sleep">) {
    this.#files = files;
    this.#clock = clock;
  }

  async output(pin: PwmPin, { periodNs, initial }: PwmSettings): Promise<PwmOutput> {
    if (this.#isClosed) throw new GatewayError("CANCELLED", "the PWM port is closed");
    const channel = await findChannel(this.#files, pin).catch((error) => Promise.reject(pwmFault(pin, error)));
    // Two pins can be of one channel.
    const owner = this.#claims.get(channel.path);
    if (owner !== undefined) throw new GatewayError("PIN_BUSY", `${pwmPinName(pin)} is in use by ${pwmPinName(owner)}`);
    this.#claims.set(channel.path, pin);
    try {
      await exportChannel(this.#files, this.#clock, channel);
      await configureChannel(this.#files, channel, { periodNs, dutyNs: Math.round(initial * periodNs) });
    } catch (error) {
      this.#claims.delete(channel.path);
      throw pwmFault(pin, error);
    }
    return this.#claimed(pin, channel, periodNs);
  }

  #claimed(pin: PwmPin, { path }: PwmChannel, periodNs: number): PwmOutput {
    let isReleased = false;
    const use = async <T>(access: () => Promise<T>): Promise<T> => {
      if (isReleased || this.#isClosed) throw new GatewayError("CANCELLED", `${pwmPinName(pin)} was given back`);
      return await access().catch((error) => Promise.reject(pwmFault(pin, error)));
    };
    const byFile = (duty: number) => ({ path: `${path}/duty_cycle`, text: String(Math.round(duty * periodNs)) });
    return {
      byFile,
      set: (duty) => use(() => this.#files.write(byFile(duty).path, byFile(duty).text)),
      duty: () => use(() => this.#duty(path)),
      [Symbol.asyncDispose]: async () => {
        if (!isReleased) this.#claims.delete(path);
        isReleased = true;
      },
    };
  }

  /** By the period that the kernel has: somebody may have changed it. */
  async #duty(path: string): Promise<number> {
    const [enable, period, duty] = await Promise.all(
      ["enable", "period", "duty_cycle"].map((name) => this.#files.read(`${path}/${name}`)),
    );
    return enable === "1" ? Number(duty) / Number(period) : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#claims.clear();
  }
}

/** Turns any fault of a channel into one of the port's. A file that is gone is a chip that was taken away. */
function pwmFault(pin: PwmPin, cause: unknown): GatewayError {
  if (isGatewayError(cause, "PIN_BUSY", "PIN_MISSING", "ACCESS_DENIED", "FILE_IO", "CANCELLED")) return cause;
  const what = isGatewayError(cause) ? cause.message : systemFault(cause).name;
  const code = isGatewayError(cause, "NOT_FOUND") ? "PIN_MISSING" : "FILE_IO";
  return new GatewayError(code, `${pwmPinName(pin)} failed (${what})`, { cause });
}
