import { nack, type SimulatedChip, type World } from "../chip.ts";
import { floatWords } from "./scd30.ts";
import { sensirionCommandChip } from "./sensirion-commands.ts";

export interface Sps30State {
  /** Major number in the high byte, minor in the low one; before 2.2 there is no status register. */
  readonly version?: number;
  /** The status register: bit 4 fan, 5 laser, 21 speed of the fan. */
  readonly status?: () => number;
}

/** SPS30 (datasheet v1): a new measurement each second once it is started; nothing to read while it is idle. */
export function sps30Chip(world: World, { version = 0x0202, status = () => 0 }: Sps30State = {}): SimulatedChip {
  let startedMs: number | undefined;
  let readSeconds = 0;
  const seconds = () => (startedMs === undefined ? 0 : Math.floor((world.monoMs() - startedMs) / 1000));
  const numbers = () => {
    const pm = world.pm25();
    return [pm * 0.8, pm, pm * 1.2, pm * 1.3, pm * 5, pm * 7, pm * 7.2, pm * 7.3, pm * 7.31, 0.6];
  };
  const textWords = (text: string, words: number) =>
    Array.from({ length: words }, (_, index) => {
      const [high = 0, low = 0] = [0, 1].map((at) => text.charCodeAt(2 * index + at) || 0);
      return (high << 8) | low;
    });
  return sensirionCommandChip(
    world,
    new Map([
      [
        0x0010,
        {
          takesMs: 19,
          words: 1,
          run([format]: readonly number[]) {
            if (format !== 0x0300 || startedMs !== undefined) throw nack();
            startedMs = world.monoMs();
            readSeconds = 0;
            return undefined;
          },
        },
      ],
      [
        0x0104,
        {
          takesMs: 19,
          run() {
            startedMs = undefined;
            return undefined;
          },
        },
      ],
      [0x0202, { run: () => [seconds() > readSeconds ? 1 : 0] }],
      [
        0x0300,
        {
          run() {
            if (seconds() <= readSeconds) throw nack();
            readSeconds = seconds();
            return numbers().flatMap(floatWords);
          },
        },
      ],
      [0xd002, { run: () => textWords("00080000", 4) }],
      [0xd100, { run: () => [version] }],
      ...(version < 0x0202 ? [] : [[0xd206, { run: () => [status() >>> 16, status() & 0xffff] }] as const]),
      [0xd033, { run: () => textWords("5F3A9C0D11E2", 16) }],
    ]),
  );
}
