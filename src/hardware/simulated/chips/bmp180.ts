import type { SimulatedChip, World } from "../chip.ts";
import { bisect } from "./bosch-280.ts";
import { byteRegisterChip } from "./registers.ts";

/** Of a chip out of the wild, as published with periph.io's driver: AC1 to AC6, B1, B2, MB, MC, MD. */
const CALIBRATION = [9096, -1177, -14423, 34651, 25225, 20502, 6515, 46, -32768, -11786, 2683];
const CONVERSION_MS = [4.5, 7.5, 13.5, 25.5];
const CONTROL = 0xf4;
const DATA = 0xf6;
const RUNNING = 0x20;
const RESET = 0xe0;

/** BMP180 at register level (BST-BMP180-DS000): one conversion at a time, its result where the last one stood. */
export function bmp180Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(256);
  let doneMs = Number.POSITIVE_INFINITY;

  const reset = () => {
    registers.fill(0);
    registers[0xd0] = 0x55;
    registers.set(
      CALIBRATION.flatMap((word) => [(word >> 8) & 0xff, word & 0xff]),
      0xaa,
    );
    registers[DATA] = 0x80;
    doneMs = Number.POSITIVE_INFINITY;
  };

  const finish = () => {
    const command = registers[CONTROL] ?? 0;
    const UT = bisect(16, true, world.temperatureC(), (code) => celsius(code).temperatureC);
    if ((command & 0x1f) === 0x0e) {
      registers.set([UT >> 8, UT & 0xff, 0], DATA);
    } else {
      const oss = command >> 6;
      const { fine } = celsius(UT);
      const UP = bisect(16 + oss, true, world.pressureHpa() * 100, (code) => pascal(code, fine, oss)) << (8 - oss);
      registers.set([(UP >> 16) & 0xff, (UP >> 8) & 0xff, UP & 0xff], DATA);
    }
    registers[CONTROL] = command & ~RUNNING;
    doneMs = Number.POSITIVE_INFINITY;
  };

  reset();
  return byteRegisterChip({
    registers,
    update() {
      if (world.monoMs() >= doneMs) finish();
    },
    write(register, value) {
      if (register === RESET && value === 0xb6) reset();
      if (register !== CONTROL) return;
      registers[CONTROL] = value | RUNNING;
      doneMs = world.monoMs() + ((value & 0x1f) === 0x0e ? 4.5 : (CONVERSION_MS[value >> 6] ?? 0));
    },
  });
}

/** The same law as the datasheet's integers, without their rounding. */
function celsius(UT: number): { temperatureC: number; fine: number } {
  const [, , , , AC5 = 0, AC6 = 0, , , , MC = 0, MD = 0] = CALIBRATION;
  const X1 = ((UT - AC6) * AC5) / 32768;
  const fine = X1 + (MC * 2048) / (X1 + MD);
  return { temperatureC: (fine + 8) / 160, fine };
}

function pascal(UP: number, fine: number, oss: number): number {
  const [AC1 = 0, AC2 = 0, AC3 = 0, AC4 = 0, , , B1 = 0, B2 = 0] = CALIBRATION;
  const B6 = fine - 4000;
  const B3 = ((AC1 * 4 + (B2 * B6 * B6) / 2 ** 23 + (AC2 * B6) / 2048) * 2 ** oss + 2) / 4;
  const B4 = (AC4 * ((AC3 * B6) / 2 ** 13 / 4 + (B1 * B6 * B6) / 2 ** 30 + 32768.5)) / 32768;
  const raw = ((UP - B3) * (50000 / 2 ** oss) * 2) / B4;
  return raw + (((raw / 256) ** 2 * 3038) / 65536 + (-7357 * raw) / 65536 + 3791) / 16;
}
