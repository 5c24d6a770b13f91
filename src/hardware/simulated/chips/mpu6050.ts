import type { SimulatedChip, World } from "../chip.ts";
import { byteRegisterChip, coded } from "./registers.ts";

const ASLEEP = 0x40;

/** MPU6050 (RM-MPU-6000A), lying flat and turning slowly: zeros while it sleeps, and writes are lost then. */
export function mpu6050Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(128);
  let awakeMs = 0;
  const reset = () => {
    registers.fill(0);
    registers[0x6b] = ASLEEP;
    registers[0x75] = 0x68;
  };
  const scale = (register: number) => 2 ** (((registers[register] ?? 0) >> 3) & 3);
  reset();
  return byteRegisterChip({
    registers,
    next: (register) => (register + 1) & 0x7f,
    update() {
      if (((registers[0x6b] ?? 0) & ASLEEP) !== 0 || world.monoMs() < awakeMs + 30) return;
      const g = [0.05, -0.02, 1].map((value) => (value * 16_384) / scale(0x1c));
      const rate = [1.5, -0.5, 0].map((value) => (value * 131) / scale(0x1b));
      const temperature = (world.temperatureC() + 4 - 36.53) * 340;
      [...g, temperature, ...rate].forEach((value, index) => {
        const code = coded(value, -0x8000, 0x7fff) & 0xffff;
        registers.set([code >> 8, code & 0xff], 0x3b + 2 * index);
      });
    },
    write(register, value) {
      const isAsleep = ((registers[0x6b] ?? 0) & ASLEEP) !== 0;
      if (register === 0x6b && (value & 0x80) !== 0) return reset();
      if ((isAsleep && register !== 0x6b) || register === 0x75) return;
      registers[register] = value;
      if (register === 0x6b) awakeMs = world.monoMs();
    },
  });
}
