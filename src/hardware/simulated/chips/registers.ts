import { nack, type SimulatedChip } from "../chip.ts";

export interface ByteRegisters {
  /** The registers as they are read; what a chip changes by itself is written here by `update`. */
  readonly registers: Uint8Array;
  /** Before every transfer: what the passing of time did. */
  update?(): void;
  /** After a register was read. */
  read?(register: number): void;
  /** A register is written. Left out: everything can be written. */
  write?(register: number, value: number): void;
  /** Where the pointer goes by itself; the next register by default. */
  next?(register: number): number;
}

/** A chip of 8-bit registers: the first byte written is the pointer, which counts on by itself. */
export function byteRegisterChip(facts: ByteRegisters): SimulatedChip {
  const { registers, next = (register: number) => (register + 1) & 0xff } = facts;
  let pointer = 0;
  const put = (register: number, value: number) => {
    if (facts.write) facts.write(register, value);
    else registers[register] = value;
  };
  return {
    write([register = 0, ...values]) {
      facts.update?.();
      pointer = register;
      for (const value of values) {
        put(pointer, value);
        pointer = next(pointer);
      }
    },
    read(length) {
      facts.update?.();
      return Uint8Array.from({ length }, () => {
        const value = registers[pointer] ?? 0;
        facts.read?.(pointer);
        pointer = next(pointer);
        return value;
      });
    },
  };
}

export interface WordRegisters {
  /** The word at a register; undefined where the chip has none there. */
  read(register: number): number | undefined;
  /** A word is written. Left out: nothing can be. */
  write?(register: number, word: number): void;
  /** What comes first on the wire: the most significant byte unless said otherwise. */
  readonly littleEndian?: boolean;
}

/**
 * A chip of 16-bit registers: the pointer stays where it was set, and a read gives the same word again. It takes pointer
 * and one word at a time, and refuses every other width.
 */
export function wordRegisterChip(facts: WordRegisters): SimulatedChip {
  let pointer = 0;
  return {
    write([register = 0, ...value]) {
      if (value.length !== 0 && value.length !== 2) throw nack();
      pointer = register;
      const [first = 0, second = 0] = facts.littleEndian ? value.toReversed() : value;
      if (value.length === 2) facts.write?.(register, (first << 8) | second);
    },
    read(length) {
      const word = facts.read(pointer);
      if (word === undefined) throw nack();
      const bytes = [(word >> 8) & 0xff, word & 0xff];
      if (facts.littleEndian) bytes.reverse();
      return Uint8Array.from({ length }, (_, index) => bytes[index % 2] ?? 0);
    },
  };
}

/** The nearest whole number, cut at the ends of what fits. */
export function coded(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, Math.round(value)));
}
