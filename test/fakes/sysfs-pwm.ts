import type { Clock } from "../../src/core/clock.ts";
import { GatewayError } from "../../src/core/errors.ts";
import type { LinuxFiles } from "../../src/hardware/linux/files.ts";
import { SimulatedFiles } from "../../src/hardware/simulated/files.ts";

const ROOT = "/sys/class/pwm";

interface FakeChannel {
  period: number;
  duty: number;
  polarity: string;
  enable: string;
  /** Monotonic time from which udev has handed the files over. */
  writableMs: number;
  isExported: boolean;
  /** Each share of time that the pin had, one after the other. */
  readonly given: number[];
}

export interface FakePwmChip {
  /** `pwmchip2` */
  readonly name: string;
  /** `1f00098000.pwm` */
  readonly device: string;
  readonly channels: number;
}

/** The kernel's PWM files: channels appear at `export`; what drivers/pwm/core.c and sysfs.c refuse is refused with EINVAL. */
export class FakeSysfsPwm implements LinuxFiles {
  readonly #clock: Pick<Clock, "monoMs">;
  readonly #files: SimulatedFiles;
  readonly #channels = new Map<string, FakeChannel>();
  /** Channels that a driver of the kernel has: `pwmchip0/pwm0`. */
  readonly held = new Set<string>();
  udevDelayMs = 0;

  constructor(clock: Pick<Clock, "monoMs">, chips: readonly FakePwmChip[]) {
    this.#clock = clock;
    this.#files = new SimulatedFiles();
    for (const { name, device, channels } of chips) {
      this.#files.put({
        [`/sys/devices/platform/soc/${device}/uevent`]: "",
        [`${ROOT}/${name}/device`]: { link: `/sys/devices/platform/soc/${device}` },
        [`${ROOT}/${name}/npwm`]: `${channels}\n`,
        [`${ROOT}/${name}/export`]: { write: (text) => this.#export(name, Number(text), channels) },
      });
    }
  }

  read = (path: string) => this.#files.read(path);
  list = (path: string) => this.#files.list(path);
  resolve = (path: string) => this.#files.resolve(path);
  space = (path: string) => this.#files.space(path);

  async write(path: string, text: string): Promise<void> {
    const channel = this.#channelAt(path);
    if (channel && this.#clock.monoMs() < channel.writableMs) throw fault("EACCES", path, "ACCESS_DENIED");
    await this.#files.write(path, text);
  }

  async writable(path: string): Promise<boolean> {
    const channel = this.#channelAt(path);
    return channel !== undefined && this.#clock.monoMs() >= channel.writableMs;
  }

  /** `pwmchip0/pwm0`, as it was left by somebody before us. */
  leave(key: string, state: Partial<Pick<FakeChannel, "period" | "duty" | "polarity" | "enable">>): void {
    const [chip = "", name = ""] = key.split("/");
    this.#export(chip, Number(name.slice("pwm".length)), Number.POSITIVE_INFINITY);
    Object.assign(this.#channels.get(key) ?? {}, state);
    const channel = this.#channels.get(key);
    if (channel) channel.given.length = 0;
  }

  /** What the pin gave, one after the other; the last is what it gives. */
  given(key: string): readonly number[] {
    return this.#channels.get(key)?.given ?? [];
  }

  remove(chip: string): void {
    this.#files.remove(`${ROOT}/${chip}`);
  }

  #channelAt(path: string): FakeChannel | undefined {
    const [, key = ""] = /^\/sys\/class\/pwm\/(pwmchip\d+\/pwm\d+)\//.exec(path) ?? [];
    return this.#channels.get(key);
  }

  #export(chip: string, number: number, count: number): void {
    const key = `${chip}/pwm${number}`;
    const before = this.#channels.get(key);
    if (number >= count) throw fault("ENODEV", key, "NOT_FOUND");
    if (this.held.has(key) || before?.isExported) throw fault("EBUSY", key);
    const channel: FakeChannel = {
      ...{ period: 0, duty: 0, polarity: "normal", enable: "0", given: [] },
      isExported: true,
      writableMs: this.#clock.monoMs() + this.udevDelayMs,
    };
    this.#channels.set(key, channel);
    const at = (name: string) => `${ROOT}/${key}/${name}`;
    this.#files.put({
      [at("period")]: { read: () => `${channel.period}\n`, write: (text) => this.#time(channel, "period", text) },
      [at("duty_cycle")]: { read: () => `${channel.duty}\n`, write: (text) => this.#time(channel, "duty", text) },
      [at("polarity")]: {
        read: () => `${channel.polarity}\n`,
        write: (text) => {
          if (channel.enable === "1") throw fault("EBUSY", at("polarity"));
          channel.polarity = text;
        },
      },
      [at("enable")]: {
        read: () => `${channel.enable}\n`,
        write: (text) => {
          if (text === "1" && channel.period === 0) throw fault("EINVAL", at("enable"));
          channel.enable = text;
          this.#note(channel);
        },
      },
    });
  }

  #time(channel: FakeChannel, which: "period" | "duty", text: string): void {
    const value = Number(text);
    const next = { period: channel.period, duty: channel.duty, [which]: value };
    if (!/^\d+$/.test(text) || next.duty > next.period || next.period === 0) throw fault("EINVAL", which);
    Object.assign(channel, next);
    this.#note(channel);
  }

  #note(channel: FakeChannel): void {
    const high = channel.enable === "1" ? channel.duty / channel.period : 0;
    channel.given.push(channel.polarity === "inversed" ? 1 - high : high);
  }
}

/** As linuxFiles gives it: a code of the port, with what the kernel said as its cause. */
function fault(code: string, path: string, as: "FILE_IO" | "NOT_FOUND" | "ACCESS_DENIED" = "FILE_IO"): GatewayError {
  return new GatewayError(as, `${path}: ${code}`, { cause: Object.assign(new Error(code), { code }) });
}
