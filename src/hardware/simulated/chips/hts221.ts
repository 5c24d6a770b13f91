import type { SimulatedChip, World } from "../chip.ts";
import { coded } from "./registers.ts";

/** H0 25 %, H1 75 %, T0 15 °C, T1 32.5 °C, and what the sensor gives there. */
const CALIBRATION = [50, 150, 120, 4, 0, 0x04, 0x18, 0xfc, 0, 0, 0x10, 0x27, 0x9c, 0xff, 0x2c, 0x01];
/** A measurement of both, with the averages of power-on. */
const MEASURING_MS = 20;

/** HTS221 (DocID026333): off after power-on; the register stays the same unless the address's highest bit is set. */
export function hts221Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(0x80);
  registers[0x0f] = 0xbc;
  registers[0x10] = 0x1b;
  registers.set(CALIBRATION, 0x30);
  let pointer = 0;
  let doneMs = Number.POSITIVE_INFINITY;
  const update = () => {
    if (world.monoMs() < doneMs) return;
    doneMs = Number.POSITIVE_INFINITY;
    const humidity = coded(-1000 + ((world.humidityPercent() - 25) * 11_000) / 50, -32_768, 32_767);
    const temperature = coded(-100 + ((world.temperatureC() - 15) * 400) / 17.5, -32_768, 32_767);
    registers.set([humidity & 0xff, (humidity >> 8) & 0xff, temperature & 0xff, (temperature >> 8) & 0xff], 0x28);
    registers[0x27] = 0x03;
    registers[0x21] = (registers[0x21] ?? 0) & ~0x01;
  };
  const next = (register: number) => ((register & 0x80) === 0 ? register : 0x80 | ((register + 1) & 0x7f));
  const put = (register: number, value: number) => {
    if (register !== 0x10 && (register < 0x20 || register > 0x22)) return;
    registers[register] = value;
    const isOn = ((registers[0x20] ?? 0) & 0x80) !== 0;
    if (register === 0x21 && (value & 0x01) !== 0 && isOn) doneMs = world.monoMs() + MEASURING_MS;
  };
  return {
    write([register = 0, ...values]) {
      update();
      pointer = register;
      for (const value of values) {
        put(pointer & 0x7f, value);
        pointer = next(pointer);
      }
    },
    read(length) {
      update();
      return Uint8Array.from({ length }, () => {
        const register = pointer & 0x7f;
        const value = registers[register] ?? 0;
        // Reading the upper half of an output clears its flag (§6.6).
        if (register === 0x29) registers[0x27] = (registers[0x27] ?? 0) & ~0x02;
        if (register === 0x2b) registers[0x27] = (registers[0x27] ?? 0) & ~0x01;
        pointer = next(pointer);
        return value;
      });
    },
  };
}
