import type { Clock } from "../../core/clock.ts";
import { GatewayError } from "../../core/errors.ts";
import type { Gpio, GpioInput, GpioOutput, InputWishes, Level } from "../gpio.ts";
import { HEADER_LABELS } from "./gpio-sysfs.ts";
import { type GpioTools, linuxGpioTools } from "./gpio-tools.ts";
import { chipsOf, dialectOf, type ToolLine } from "./gpiod-dialect.ts";
import { openGpiodInput } from "./gpiod-input.ts";
import { openGpiodOutput } from "./gpiod-output.ts";
import type { Session } from "./gpiod-session.ts";
import { PinClaims } from "./pin-claims.ts";

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
  readonly #chipName: string;
  readonly #claims: PinClaims<Claim>;

  constructor(session: Session, chip: { name: string; label: string; lines: number }) {
    this.name = chip.label;
    this.#session = session;
    this.#chipName = chip.name;
    this.#claims = new PinClaims(chip.label, chip.lines);
  }

  async input(pin: number, wishes: InputWishes = {}): Promise<GpioInput> {
    return await this.#claim(pin, (line, release) => openGpiodInput(this.#session, line, wishes, release));
  }

  async output(pin: number, initial: Level): Promise<GpioOutput> {
    return await this.#claim(pin, (line, release) => openGpiodOutput(this.#session, line, initial, release));
  }

  async #claim<T extends Claim>(pin: number, open: (line: ToolLine, release: () => void) => Promise<T>): Promise<T> {
    const line = { chip: this.#chipName, pin };
    return await this.#claims.claim(pin, () => open(line, () => this.#claims.release(pin)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#claims[Symbol.asyncDispose]();
  }
}
