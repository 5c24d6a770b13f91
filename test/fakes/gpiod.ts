import type { Clock } from "../../src/core/clock.ts";
import { GatewayError } from "../../src/core/errors.ts";
import type { Level } from "../../src/hardware/gpio.ts";
import type { GpioTools, RunningTool, ToolOptions, ToolResult } from "../../src/hardware/linux/gpio-tools.ts";

/** Options with a value, and those without, as the tools' `getopt_long` tables have them. */
const grammars: Record<1 | 2, Record<string, { readonly valued: string; readonly plain: readonly string[] }>> = {
  1: {
    gpioget: { valued: "B", plain: [] },
    gpiomon: { valued: "BF", plain: ["-b"] },
    gpioset: { valued: "", plain: ["--mode=signal"] },
  },
  2: {
    gpioget: { valued: "bc", plain: ["--numeric"] },
    gpiomon: { valued: "bceF", plain: [] },
    gpioset: { valued: "bc", plain: ["--interactive"] },
  },
};

interface Asked {
  readonly options: Readonly<Record<string, string>>;
  readonly chip: string;
  readonly line: string;
}

interface FakeLine {
  level: Level;
  holder?: { end(result: Omit<ToolResult, "stdout">): void; edge?(level: Level): void };
  driven: Level[];
  /** Edges that the kernel has seen. */
  interrupts: number;
  waiting?: (() => void)[] | undefined;
  bias?: string | undefined;
}

/**
 * libgpiod's programs of a major version over one chip: their options, refused where the real ones refuse them, and what
 * they print. The real ones pass the same contract (test/hardware/linux/real.test.ts).
 */
export class FakeGpiod implements GpioTools {
  readonly #version: 1 | 2;
  readonly #clock: Pick<Clock, "monoMs">;
  readonly #lines = new Map<number, FakeLine>();
  installed = true;
  label = "pinctrl-bcm2711";
  /** Lines that somebody else holds. */
  readonly held = new Set<number>();
  /** The machine slept so long: CLOCK_MONOTONIC is behind our clock. */
  readonly sleptMs = 500;
  started = 0;
  /** Whether /proc/interrupts tells the line's. */
  tellsInterrupts = true;

  constructor(version: 1 | 2, clock: Pick<Clock, "monoMs">) {
    this.#version = version;
    this.#clock = clock;
  }

  readonly kernelNowMs = () => this.#clock.monoMs() - this.sleptMs;

  async run(tool: string, args: readonly string[]): Promise<ToolResult> {
    if (!this.installed) throw new GatewayError("TOOL_MISSING", `there is no ${tool}: it comes with the package gpiod`);
    if (tool === "gpiodetect" && args[0] === "--version") {
      return good(this.#version === 1 ? "gpiodetect (libgpiod) v1.6.3\nCopyright\n" : "gpiodetect (libgpiod) v2.2.1\n");
    }
    if (tool === "gpiodetect")
      return good(`gpiochip10 [raspberrypi-exp-gpio] (8 lines)\ngpiochip0 [${this.label}] (58 lines)\n`);
    if (tool !== "gpioget") throw new Error(`${tool} does not end by itself`);
    const asked = this.#parse(tool, args);
    if (typeof asked === "string") return { code: 1, stdout: "", stderr: asked };
    const pin = Number(asked.line);
    if (this.#isBusy(pin)) return { code: 1, stdout: "", stderr: busy(tool) };
    return good(`${this.#line(pin).level}\n`);
  }

  start(tool: string, args: readonly string[], { onLine = () => undefined }: ToolOptions = {}): RunningTool {
    this.started++;
    let resolve: (result: Omit<ToolResult, "stdout">) => void = () => undefined;
    const ended = new Promise<Omit<ToolResult, "stdout">>((settle) => {
      resolve = settle;
    });
    const asked = this.#parse(tool, args);
    const pin = typeof asked === "string" ? -1 : Number.parseInt(asked.line, 10);
    const line = this.#line(pin);
    const holder: NonNullable<FakeLine["holder"]> = {
      end(result) {
        if (line.holder === holder) delete line.holder;
        resolve(result);
      },
    };
    if (typeof asked === "string") resolve({ code: 1, stderr: asked });
    else if (this.#isBusy(pin)) resolve({ code: 1, stderr: busy(tool) });
    else {
      line.holder = holder;
      if (tool === "gpiomon") this.#monitor(line, holder, asked, onLine);
      else this.#drive(line, asked.line.endsWith("=1") ? 1 : 0);
    }
    return {
      ended,
      holdsLine: async () => line.holder === holder,
      write: (text) => this.#order(line, holder, text, onLine),
      stop: async () => holder.end({ code: null, stderr: "" }),
    };
  }

  /** From outside. */
  drive(pin: number, level: Level): void {
    const line = this.#line(pin);
    if (line.level === level) return;
    line.level = level;
    line.interrupts++;
    line.holder?.edge?.(level);
  }

  async interrupts(pin: number): Promise<number | undefined> {
    return this.tellsInterrupts ? this.#line(pin).interrupts : undefined;
  }

  /** gpiomon does not get to write: what it has to tell waits. */
  hold(pin: number): void {
    this.#line(pin).waiting ??= [];
  }

  letGo(pin: number): void {
    const line = this.#line(pin);
    const { waiting = [] } = line;
    line.waiting = undefined;
    for (const tell of waiting) tell();
  }

  /** The kernel's buffer was full: gpiomon never hears of it. */
  loseEdge(pin: number): void {
    const line = this.#line(pin);
    line.level = line.level === 1 ? 0 : 1;
    line.interrupts++;
  }

  level(pin: number): Level {
    return this.#line(pin).level;
  }

  driven(pin: number): readonly Level[] {
    return this.#line(pin).driven;
  }

  bias(pin: number): string | undefined {
    return this.#line(pin).bias;
  }

  /** Ends the tool that holds the line, as the kernel's OOM killer would. */
  kill(pin: number): void {
    this.#line(pin).holder?.end({ code: null, stderr: "" });
  }

  #monitor(
    line: FakeLine,
    holder: NonNullable<FakeLine["holder"]>,
    { options }: Asked,
    onLine: (text: string) => void,
  ) {
    line.bias = options[this.#version === 1 ? "B" : "b"];
    holder.edge = (level) => {
      const ns = BigInt(Math.round(this.kernelNowMs() * 1e6));
      const [seconds, rest] = [ns / 1_000_000_000n, ns % 1_000_000_000n];
      const values: Record<string, string> =
        this.#version === 1
          ? { e: String(level), s: String(seconds), n: String(rest) }
          : { e: level === 1 ? "1" : "2", S: `${seconds}.${String(rest).padStart(9, "0")}` };
      const tell = () => onLine((options.F ?? "").replace(/%(\w)/g, (written, key: string) => values[key] ?? written));
      if (line.waiting) line.waiting.push(tell);
      else tell();
    };
  }

  #drive(line: FakeLine, level: Level): void {
    line.level = level;
    line.driven.push(level);
  }

  /** The prompt stands before each answer, as it is printed where there is no terminal. */
  #order(line: FakeLine, holder: unknown, text: string, onLine: (text: string) => void): void {
    if (line.holder !== holder || this.#version === 1) return;
    let prompts = "";
    for (const order of text.trim().split("\n")) {
      prompts += "gpioset> ";
      const [, level] = /^set \d+=([01])$/.exec(order) ?? [];
      const [, pin] = /^get (\d+)$/.exec(order) ?? [];
      if (level) this.#drive(line, level === "1" ? 1 : 0);
      if (pin) onLine(`${prompts}"${pin}"=${line.level === 1 ? "active" : "inactive"}`);
    }
  }

  #isBusy(pin: number): boolean {
    return this.held.has(pin) || this.#line(pin).holder !== undefined;
  }

  /** What was asked, or what the tool says of it. */
  #parse(tool: string, args: readonly string[]): Asked | string {
    const grammar = grammars[this.#version][tool];
    if (!grammar) return `${tool}: not found`;
    const options: Record<string, string> = {};
    const rest: string[] = [];
    for (let index = 0; index < args.length; index++) {
      const arg = args[index] ?? "";
      if (!arg.startsWith("-")) rest.push(arg);
      else if (arg.length === 2 && grammar.valued.includes(arg.slice(1))) options[arg.slice(1)] = args[++index] ?? "";
      else if (!grammar.plain.includes(arg)) return `${tool}: unrecognized option '${arg}'`;
    }
    const bias = options.B ?? options.b;
    const biases = ["pull-up", "pull-down", this.#version === 1 ? "disable" : "disabled"];
    if (bias !== undefined && !biases.includes(bias)) return `${tool}: invalid bias: ${bias}`;
    const [chip, line] = this.#version === 1 ? rest : [options.c, ...rest];
    if (chip !== "gpiochip0" || line === undefined) return `${tool}: cannot find GPIO chip character device '${chip}'`;
    return { options, chip, line };
  }

  #line(pin: number): FakeLine {
    const line = this.#lines.get(pin) ?? { level: 0, driven: [], interrupts: 0 };
    this.#lines.set(pin, line);
    return line;
  }
}

function good(stdout: string): ToolResult {
  return { code: 0, stdout, stderr: "" };
}

function busy(tool: string): string {
  return `${tool}: unable to request lines on chip '/dev/gpiochip0': Device or resource busy`;
}
