import { setImmediate } from "node:timers/promises";
import type { I2cHandle } from "../../src/hardware/linux/i2c.ts";
import type { SimulatedChip } from "../../src/hardware/simulated/chip.ts";

/**
 * The library i2c-bus over an adapter with chips, with what is wrong with it: it keeps a descriptor whose address was
 * never claimed, and after `close` it goes on to use closed ones. Both end up in `violations` here, and so do two calls
 * at a time.
 */
export class FakeI2cLibrary {
  readonly chips = new Map<number, SimulatedChip>();
  /** Addresses that a kernel driver owns: the claim fails with EBUSY. */
  readonly claimed = new Set<number>();
  /** What the next calls of this name fail with, in order. */
  readonly faults: { call: string; error: Error }[] = [];
  readonly violations: string[] = [];
  /** Bytes that a transfer reports less than it was asked for. */
  shortBy = 0;
  opened = 0;
  closed = 0;
  #running = 0;

  readonly open = async (_busNumber: number): Promise<I2cHandle> => {
    this.opened++;
    const descriptors = new Map<number, { claimed: boolean }>();
    let closed = false;

    const call = async <T>(name: string, address: number, work: (claimed: boolean) => T): Promise<T> => {
      if (closed) this.violations.push(`${name} after close`);
      if (++this.#running > 1) this.violations.push(`${name} while another call runs`);
      try {
        await setImmediate();
        const descriptor = descriptors.get(address) ?? this.#openDescriptor(descriptors, address);
        if (!descriptor.claimed) this.violations.push(`${name} on a descriptor without an address`);
        this.#failIfTold(name);
        return work(descriptor.claimed);
      } finally {
        this.#running--;
      }
    };
    const chipAt = (address: number, syscall: string): SimulatedChip => {
      const chip = this.chips.get(address);
      if (!chip) throw syscall === "readI2cBlock" ? addonError(121, syscall) : nodeError("EREMOTEIO", 121, syscall);
      return chip;
    };

    return {
      i2cFuncs: () => call("i2cFuncs", 0, () => ({ i2c: true }) as Awaited<ReturnType<I2cHandle["i2cFuncs"]>>),
      i2cWrite: (address, length, buffer) =>
        call("i2cWrite", address, () => {
          chipAt(address, "write").write(Uint8Array.from(buffer.subarray(0, length)));
          return { bytesWritten: length - this.shortBy, buffer };
        }),
      i2cRead: (address, length, buffer) =>
        call("i2cRead", address, () => {
          buffer.set(chipAt(address, "read").read(length));
          return { bytesRead: length - this.shortBy, buffer };
        }),
      readI2cBlock: (address, register, length, buffer) =>
        call("readI2cBlock", address, () => {
          const chip = chipAt(address, "readI2cBlock");
          chip.write(Uint8Array.of(register));
          buffer.set(chip.read(length));
          return { bytesRead: length - this.shortBy, buffer };
        }),
      close: async () => {
        closed = true;
        await setImmediate();
        this.closed++;
      },
    };
  };

  #openDescriptor(descriptors: Map<number, { claimed: boolean }>, address: number): { claimed: boolean } {
    this.#failIfTold("open");
    const descriptor = { claimed: !this.claimed.has(address) };
    descriptors.set(address, descriptor);
    this.#failIfTold("setAddr");
    if (!descriptor.claimed) throw addonError(16, "setAddr");
    return descriptor;
  }

  #failIfTold(call: string): void {
    const index = this.faults.findIndex((fault) => fault.call === call);
    const [fault] = index < 0 ? [] : this.faults.splice(index, 1);
    if (fault) throw fault.error;
  }
}

/** As the addon makes errors: a positive number, and a name only where Node knew one long ago. */
export function addonError(errno: number, syscall: string, code = ""): Error {
  return Object.assign(new Error(`${code}, ${syscall}`), { errno, code, syscall });
}

/** As `node:fs` makes errors. */
export function nodeError(code: string, errno: number, syscall: string): Error {
  return Object.assign(new Error(`${code}: ${syscall}`), { errno: -errno, code, syscall });
}
