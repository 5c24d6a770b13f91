import type { SimulatedChip, World } from "../chip.ts";
import { integerPressure388, integerTemperature388, TRIMMING_BYTES } from "./bmp388-integer.ts";
import { bisect, iirFilter } from "./bosch-280.ts";
import { byteRegisterChip } from "./registers.ts";

const RESET = 0xb6;
const FORCED = 0b01;
const FILTER = 0x1f;

/** BMP388 (BST-BMP388-DS001): forced mode, data ready bits that a read of the data clears. */
export function bmp388Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(256);
  let doneMs = Number.POSITIVE_INFINITY;
  const filters = { temperature: iirFilter(), pressure: iirFilter() };
  const forget = () => {
    filters.temperature.forget();
    filters.pressure.forget();
  };
  const put24 = (at: number, code: number) => registers.set([code & 0xff, (code >> 8) & 0xff, code >> 16], at);
  const reset = () => {
    forget();
    registers.fill(0);
    registers[0x00] = 0x50;
    registers[0x03] = 0x10;
    registers.set(TRIMMING_BYTES, 0x31);
    put24(0x04, 0x800000);
    put24(0x07, 0x800000);
  };
  const finish = () => {
    const setting = ((registers[FILTER] ?? 0) >> 1) & 7;
    const temperature = bisect(24, true, world.temperatureC() * 100, (code) => integerTemperature388(code).hundredths);
    const { linear } = integerTemperature388(temperature);
    const pressure = bisect(24, false, world.pressureHpa() * 10_000, (code) => integerPressure388(code, linear));
    put24(0x07, filters.temperature.pass(setting, temperature));
    put24(0x04, filters.pressure.pass(setting, pressure));
    registers[0x03] = 0x70;
    registers[0x1b] = (registers[0x1b] ?? 0) & ~0x30;
    doneMs = Number.POSITIVE_INFINITY;
  };
  reset();
  return byteRegisterChip({
    registers,
    update() {
      if (world.monoMs() >= doneMs) finish();
    },
    read(register) {
      if (register === 0x09) registers[0x03] = 0x10;
    },
    write(register, value) {
      if (register === 0x7e && value === RESET) return reset();
      if (register < 0x15 || register > 0x1f) return;
      registers[register] = value;
      if (register === FILTER) forget();
      if (register !== 0x1b || ((value >> 4) & 3) !== FORCED) return;
      const setting = registers[0x1c] ?? 0;
      const samples = 2 ** (setting & 7) + 2 ** ((setting >> 3) & 7);
      doneMs = world.monoMs() + 0.789 + 2.02 * samples;
    },
  });
}
