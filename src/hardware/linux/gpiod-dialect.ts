import type { Level, Pull } from "../gpio.ts";

/** One line of one chip, as the tools address it. */
export interface ToolLine {
  /** `gpiochip0` */
  readonly chip: string;
  readonly pin: number;
}

export interface KernelEdge {
  readonly level: Level;
  /** CLOCK_MONOTONIC, milliseconds. */
  readonly kernelMs: number;
}

/** How a major version of libgpiod's tools is spoken to. */
export interface Dialect {
  get(line: ToolLine, pull?: Pull): string[];
  monitor(line: ToolLine, pull?: Pull): string[];
  /** Drives the line until the tool ends. */
  hold(line: ToolLine, level: Level): string[];
  edge(text: string): KernelEdge | undefined;
  /** Sets and asks back what is set, where the tool takes orders while it holds the line. */
  readonly order?: {
    set(line: ToolLine, level: Level): string;
    answer(text: string): Level | undefined;
  };
}

const bias1 = { up: "pull-up", down: "pull-down", off: "disable" } as const;
const bias2 = { up: "pull-up", down: "pull-down", off: "disabled" } as const;

/** 1.x (gpiomon.c, gpioset.c of 1.6): chip and offset are arguments, `%e` is 0 falling, 1 rising; `%n` has no leading zeros. */
const version1: Dialect = {
  get: ({ chip, pin }, pull) => [...(pull ? ["-B", bias1[pull]] : []), chip, String(pin)],
  monitor: ({ chip, pin }, pull) => [
    ...["-b", "-F", "%e %s %n"],
    ...(pull ? ["-B", bias1[pull]] : []),
    ...[chip, String(pin)],
  ],
  hold: ({ chip, pin }, level) => ["--mode=signal", chip, `${pin}=${level}`],
  edge(text) {
    const found = /^([01]) (\d+) (\d+)$/.exec(text);
    if (!found) return undefined;
    return { level: found[1] === "1" ? 1 : 0, kernelMs: Number(found[2]) * 1000 + Number(found[3]) / 1e6 };
  },
};

/**
 * 2.x: `-c CHIP`, `%e` is 1 rising, 2 falling; `%S` is seconds with nine decimals. `-E monotonic` is left out: gpiomon.c
 * takes it for `hte`, and it is the default.
 */
const version2: Dialect = {
  get: ({ chip, pin }, pull) => ["--numeric", ...(pull ? ["-b", bias2[pull]] : []), "-c", chip, String(pin)],
  monitor: ({ chip, pin }, pull) => [
    ...["-e", "both", "-F", "%e %S"],
    ...(pull ? ["-b", bias2[pull]] : []),
    ...["-c", chip, String(pin)],
  ],
  hold: ({ chip, pin }, level) => ["--interactive", "-c", chip, `${pin}=${level}`],
  edge(text) {
    const found = /^([12]) (\d+)\.(\d{9})$/.exec(text);
    if (!found) return undefined;
    return { level: found[1] === "1" ? 1 : 0, kernelMs: Number(found[2]) * 1000 + Number(found[3]) / 1e6 };
  },
  order: {
    set: ({ pin }, level) => `set ${pin}=${level}\nget ${pin}\n`,
    answer(text) {
      const [, state] = /"\d+"=(active|inactive)$/.exec(text) ?? [];
      return state === undefined ? undefined : state === "active" ? 1 : 0;
    },
  },
};

/** From what `gpiodetect --version` prints: `gpiodetect (libgpiod) v1.6.3`. */
export function dialectOf(version: string): Dialect | undefined {
  const [, major] = /\(libgpiod\) v?(\d+)\./.exec(version) ?? [];
  return { "1": version1, "2": version2 }[major ?? ""];
}

/** `gpiochip0 [pinctrl-bcm2711] (58 lines)`, one a line, in both versions. */
export function chipsOf(detected: string): { name: string; label: string; lines: number }[] {
  return [...detected.matchAll(/^(\S+) \[(.*)\] \((\d+) lines?\)$/gm)].map(([, name = "", label = "", lines]) => ({
    name,
    label,
    lines: Number(lines),
  }));
}
