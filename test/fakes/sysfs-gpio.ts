import type { Clock } from "../../src/core/clock.ts";
import { GatewayError } from "../../src/core/errors.ts";
import type { Level } from "../../src/hardware/gpio.ts";
import type { LinuxFiles } from "../../src/hardware/linux/files.ts";
import type { Line } from "../../src/hardware/linux/gpio-input.ts";
import { SimulatedFiles, type Tree } from "../../src/hardware/simulated/files.ts";

const ROOT = "/sys/class/gpio";

interface FakePin {
  level: Level;
  exported: boolean;
  direction: string;
  edge: string;
  activeLow: string;
  /** Monotonic time from which udev has handed the files over. */
  writableMs: number;
  listeners: (() => void)[];
  /** The levels that it was driven to as an output. */
  driven: Level[];
}

export interface FakeChip {
  readonly label: string;
  readonly base: number;
  readonly lines: number;
}

/**
 * The kernel's GPIO files and onoff's view of them: pins appear when their number is written to `export`, become writable
 * when udev has come by, and vanish at `unexport`.
 */
export class FakeSysfsGpio implements LinuxFiles {
  readonly #clock: Pick<Clock, "monoMs">;
  readonly #chips: readonly FakeChip[];
  readonly #files: SimulatedFiles;
  readonly #pins = new Map<number, FakePin>();
  /** Lines held through the character device. */
  readonly held = new Set<number>();
  udevDelayMs = 0;
  /** What goes wrong with the line itself, as onoff would throw it. */
  lineError: Error | undefined;
  /** onoff ignores an edge that cannot be set. */
  edgesWork = true;

  constructor(clock: Pick<Clock, "monoMs">, chips: readonly FakeChip[]) {
    this.#clock = clock;
    this.#chips = chips;
    const chipFiles = chips.map(({ label, base, lines }) => ({
      [`${ROOT}/gpiochip${base}/label`]: `${label}\n`,
      [`${ROOT}/gpiochip${base}/base`]: `${base}\n`,
      [`${ROOT}/gpiochip${base}/ngpio`]: `${lines}\n`,
    }));
    const control: Tree = {
      [`${ROOT}/export`]: { write: (text) => this.#export(Number(text)) },
      [`${ROOT}/unexport`]: { write: (text) => this.#unexport(Number(text)) },
    };
    this.#files = new SimulatedFiles(Object.assign({}, control, ...chipFiles));
  }

  read = (path: string) => this.#files.read(path);
  write = (path: string, text: string) => this.#files.write(path, text);
  list = (path: string) => this.#files.list(path);
  resolve = (path: string) => this.#files.resolve(path);
  space = (path: string) => this.#files.space(path);

  async writable(path: string): Promise<boolean> {
    const [, number] = /gpio(\d+)\//.exec(path) ?? [];
    const pin = this.#pin(Number(number));
    return pin.exported && this.#clock.monoMs() >= pin.writableMs;
  }

  /** udev has events before it, or has not. */
  set udevHasWork(has: boolean) {
    if (has) this.#files.put({ "/run/udev/queue": "" });
    else this.#files.remove("/run/udev/queue");
  }

  exported(number: number): boolean {
    return this.#pin(number).exported;
  }

  /** What the wire saw of an output, from its direction on. */
  driven(number: number): readonly Level[] {
    return this.#pin(number).driven;
  }

  setDirection(number: number, direction: string): void {
    this.#pin(number).direction = direction;
  }

  drive(number: number, level: Level): void {
    const pin = this.#pin(number);
    const changed = pin.level !== level;
    pin.level = level;
    if (changed) this.poll(number);
  }

  /** The kernel reports an event, whatever the level is by now. */
  poll(number: number): void {
    for (const listener of [...this.#pin(number).listeners]) listener();
  }

  listeners(number: number): number {
    return this.#pin(number).listeners.length;
  }

  /** As onoff does it: reads before it tells anybody, throws from there, and has a spin for missing permissions. */
  readonly openLine = async (number: number): Promise<Line> => {
    const pin = this.#pin(number);
    const ready = await this.writable(`${ROOT}/gpio${number}/value`);
    if (!ready) throw new Error("onoff would now block the process until the permissions are there");
    pin.direction = "in";
    if (this.edgesWork) pin.edge = "both";
    const line: Line = {
      readSync: () => {
        if (this.lineError) throw this.lineError;
        return pin.level;
      },
      watch: (callback) =>
        pin.listeners.push(() => {
          line.readSync();
          if (pin.listeners.length > 0) callback();
        }),
      unwatchAll: () => {
        pin.listeners = [];
      },
      unexport: () => {
        line.unwatchAll();
        if (pin.exported) this.#unexport(number);
      },
    };
    return line;
  };

  #pin(number: number): FakePin {
    const known = this.#pins.get(number);
    if (known) return known;
    const pin: FakePin = {
      level: 0,
      exported: false,
      direction: "in",
      edge: "none",
      activeLow: "0",
      writableMs: 0,
      listeners: [],
      driven: [],
    };
    this.#pins.set(number, pin);
    return pin;
  }

  #export(number: number): void {
    if (!this.#chips.some(({ base, lines }) => number >= base && number < base + lines)) throw refused("EINVAL", 22);
    const pin = this.#pin(number);
    if (pin.exported || this.held.has(number)) throw refused("EBUSY", 16);
    Object.assign(pin, { exported: true, writableMs: this.#clock.monoMs() + this.udevDelayMs });
    const path = `${ROOT}/gpio${number}`;
    this.#files.put({
      [`${path}/direction`]: { read: () => `${pin.direction}\n`, write: (text) => this.#direct(pin, text) },
      [`${path}/edge`]: () => `${pin.edge}\n`,
      [`${path}/active_low`]: {
        read: () => `${pin.activeLow}\n`,
        write: (text) => {
          pin.activeLow = text;
        },
      },
      [`${path}/value`]: { read: () => `${pin.level}\n`, write: (text) => this.#put(pin, text) },
    });
  }

  /** `out` alone drives the level low first. */
  #direct(pin: FakePin, text: string): void {
    pin.direction = text === "in" ? "in" : "out";
    if (pin.direction === "out") this.#put(pin, text === "high" ? "1" : "0");
  }

  #put(pin: FakePin, text: string): void {
    if (pin.direction !== "out") throw refused("EPERM", 1);
    pin.level = text === "1" ? 1 : 0;
    pin.driven.push(pin.level);
  }

  #unexport(number: number): void {
    const pin = this.#pin(number);
    if (!pin.exported) throw refused("EINVAL", 22);
    Object.assign(pin, { exported: false, direction: "in", edge: "none", listeners: [] });
    this.#files.remove(`${ROOT}/gpio${number}`);
  }
}

function refused(code: string, errno: number): GatewayError {
  const cause = Object.assign(new Error(code), { code, errno: -errno, syscall: "write" });
  return new GatewayError("FILE_IO", `${ROOT}/export: ${code}`, { cause });
}
