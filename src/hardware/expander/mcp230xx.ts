import type { I2cDevice } from "../i2c.ts";
import type { ExpanderChip, ExpanderState } from "./chip.ts";

/** Registers (DS20001952C, table 3-1), with IOCON.BANK = 0: those of the second port of eight follow those of the first. */
const REGISTER = { IODIR: 0, IPOL: 1, GPINTEN: 2, INTCON: 4, IOCON: 5, GPPU: 6, INTF: 7, GPIO: 9, OLAT: 10 } as const;
/** Both ports' interrupts on both pins, which are open drain: the chip may have 5 V, the Pi has not. */
const IOCON_MIRROR_ODR = 0x44;

/** MCP23017 (two ports of eight) and MCP23008 (one). */
export function mcp230xx(chip: I2cDevice, ports: 1 | 2): ExpanderChip {
  const at = (register: keyof typeof REGISTER) => REGISTER[register] * ports;
  const write = async (register: keyof typeof REGISTER, mask: number) =>
    await chip.writeRegister(at(register), ...bytesOf(mask, ports));
  const read = async (register: keyof typeof REGISTER) => maskOf(await chip.readRegister(at(register), ports));
  return {
    lines: 8 * ports,
    pulls: ["up", "off"],
    async begin() {
      // Where somebody set BANK, this is IOCON (§3.2.1) and takes it back; where not, it is GPINTEN of the second port.
      if (ports === 2) await chip.writeRegister(REGISTER.IOCON, 0);
      await chip.writeRegister(at("IOCON"), IOCON_MIRROR_ODR);
      const [inputs, latch, pullUps] = [await read("IODIR"), await read("OLAT"), await read("GPPU")];
      return { inputs, latch, pullUps, watched: 0 };
    },
    async arrange({ inputs, latch, pullUps, watched }) {
      await write("OLAT", latch);
      await write("IODIR", inputs);
      await write("IPOL", 0);
      await write("GPPU", pullUps);
      await chip.writeRegister(at("IOCON"), IOCON_MIRROR_ODR);
      await write("INTCON", 0);
      await write("GPINTEN", watched);
    },
    drive: ({ latch }) => write("OLAT", latch),
    async look() {
      // INTF, INTCAP and GPIO stand together; reading them lets the interrupt pin go.
      const bytes = await chip.readRegister(at("INTF"), 3 * ports);
      const [pins, captured, levels] = [0, 1, 2].map((index) =>
        maskOf(bytes.slice(index * ports, (index + 1) * ports)),
      );
      return { levels: levels ?? 0, changed: { pins: pins ?? 0, levels: captured ?? 0 } };
    },
    async holds({ inputs, latch, watched }: ExpanderState) {
      // After a reset all are inputs, and nothing is watched (table 3-3).
      if ((await read("IODIR")) !== inputs || (await read("GPINTEN")) !== watched) return false;
      return (await read("OLAT")) === latch;
    },
  };
}

export function bytesOf(mask: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => (mask >> (8 * index)) & 0xff);
}

export function maskOf(bytes: Uint8Array): number {
  return bytes.reduce((mask, byte, index) => mask | (byte << (8 * index)), 0);
}
