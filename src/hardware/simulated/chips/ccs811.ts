import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";

const PERIODS_MS = [Number.POSITIVE_INFINITY, 1000, 10_000, 60_000];
const MAILBOX_LENGTHS: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 8, 17: 2, 32: 1, 224: 1 };

/** CCS811 (v1-06): boots into its boot loader; its application is started by a write without data. */
export function ccs811Chip(world: World): SimulatedChip {
  let isApplication = false;
  let mode = 0;
  let baseline = [0xa4, 0x3b];
  let mailbox = 0;
  let startedMs = 0;
  let readPeriods = 0;

  const periods = () => Math.floor((world.monoMs() - startedMs) / (PERIODS_MS[(mode >> 4) & 7] ?? 1000));
  const isReady = () => isApplication && periods() > readPeriods;
  const status = () => (isApplication ? 0x80 : 0) | 0x10 | (isReady() ? 0x08 : 0);
  const reset = () => {
    isApplication = false;
    mode = 0;
  };
  const result = () => {
    const before = status();
    readPeriods = Math.max(readPeriods, periods());
    const eco2 = readPeriods === 0 ? 0 : coded(400 + 2 * world.tvocPpb(), 400, 32_768);
    const tvoc = readPeriods === 0 ? 0 : coded(world.tvocPpb(), 0, 32_768);
    return [eco2 >> 8, eco2 & 0xff, tvoc >> 8, tvoc & 0xff, before, 0, 0x14, 0x9a];
  };
  const content = (): number[] => {
    if (mailbox === 0x00) return [status()];
    if (mailbox === 0x20) return [0x81];
    if (!isApplication) throw nack();
    if (mailbox === 0x02) return result();
    return mailbox === 0x11 ? baseline : [mailbox === 0x01 ? mode : 0];
  };

  return {
    write([register = 0, ...values]) {
      if (register === 0xff && values.join() === "17,229,114,138") return reset();
      if (register === 0xf4) {
        if (values.length > 0) throw nack();
        isApplication = true;
        return;
      }
      mailbox = register;
      if (values.length === 0) {
        if (!(register in MAILBOX_LENGTHS)) throw nack();
        return;
      }
      if (!isApplication) throw nack();
      if (register === 0x01) {
        mode = values[0] ?? 0;
        startedMs = world.monoMs();
        readPeriods = 0;
      } else if (register === 0x11 && values.length === 2) baseline = values;
      else if (register !== 0x05 || values.length !== 4) throw nack();
    },
    read(length) {
      const bytes = content();
      return Uint8Array.from({ length }, (_, index) => bytes[index] ?? 0);
    },
  };
}
