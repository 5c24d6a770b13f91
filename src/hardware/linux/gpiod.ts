import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Gpio, GpioInput, GpioOutput, InputWishes, Level } from "../gpio.ts";
import { HEADER_LABELS, pinFault } from "./gpio-sysfs.ts";
import { type GpioTools, linuxGpioTools } from "./gpio-tools.ts";
import { chipsOf, dialectOf, type ToolLine } from "./gpiod-dialect.ts";
import { openGpiodInput } from "./gpiod-input.ts";
import { openGpiodOutput } from "./gpiod-output.ts";
import type { Session } from "./gpiod-session.ts";

export interface GpiodOptions {
  readonly clock: Pick<Clock, "monoMs" | "sleep">;
  readonly tools?: GpioTools;
  /** CLOCK_MONOTONIC, which is what Node's clock reads. */
  readonly kernelNowMs?: () => number;
}

/** The header's pins through the character device. Throws TOOL_MISSING, PIN_MISSING. */
export async function openGpiod(options: GpiodOptions): Promise<Gpio> {
  const { clock, tools = linuxGpioTools, kernelNowMs = () => Number(process.hrtime.bigint()) / 1e6 } = options;
  const { stdout: version } = await tools.run("gpiodetect", ["--version"]);
  const dialect = dialectOf(version);
  if (!dialect) {
    const found = version.split("\n")[0];
    throw new GatewayError("TOOL_MISSING", `gpiodetect of libgpiod 1 or 2 is needed, this one says: ${found}`);
  }
  const chips = chipsOf((await tools.run("gpiodetect", [])).stdout);
  const chip = chips.find(({ label }) => HEADER_LABELS.includes(label));
  if (!chip) {
    const labels = chips.map(({ label }) => label).join(", ") || "none";
    throw new GatewayError("PIN_MISSING", `gpiodetect shows no chip ${HEADER_LABELS.join(" or ")} (found: ${labels})`);
  }
  return new Gpiod({ tools, dialect, clock, kernelNowMs }, chip);
}

type Claim = GpioInput | GpioOutput;

class Gpiod implements Gpio {
  readonly name: string;
  readonly #session: Session;
  readonly #chip: { readonly name: string; readonly lines: number };
  readonly #claims = new Map<number, Promise<Claim>>();
  #isClosed = false;

  constructor(session: Session, chip: { name: string; label: string; lines: number }) {
    this.name = chip.label;
    this.#session = session;
    this.#chip = chip;
  }

  async input(pin: number, wishes: InputWishes = {}): Promise<GpioInput> {
    return await this.#claim(pin, (line, release) => openGpiodInput(this.#session, line, wishes, release));
  }

  async output(pin: number, initial: Level): Promise<GpioOutput> {
    return await this.#claim(pin, (line, release) => openGpiodOutput(this.#session, line, initial, release));
  }

  async #claim<T extends Claim>(pin: number, open: (line: ToolLine, release: () => void) => Promise<T>): Promise<T> {
    const { name, lines } = this.#chip;
    if (this.#isClosed) throw new GatewayError("CANCELLED", `${this.name} is closed`);
    if (!Number.isInteger(pin) || pin < 0 || pin >= lines) {
      throw new GatewayError("PIN_MISSING", `there is no pin ${pin} on ${this.name}: it has 0 to ${lines - 1}`);
    }
    if (this.#claims.has(pin)) throw new GatewayError("PIN_BUSY", `pin ${pin} is in use by another device`);
    const opening = open({ chip: name, pin }, () => this.#claims.delete(pin));
    this.#claims.set(pin, opening);
    try {
      return await opening;
    } catch (cause) {
      this.#claims.delete(pin);
      throw pinFault(pin, cause);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    const claims = await Promise.allSettled(this.#claims.values());
    const open = claims.filter((claim) => claim.status === "fulfilled").map(({ value }) => value);
    await Promise.all(open.map((claim) => claim[Symbol.asyncDispose]()));
  }
}
