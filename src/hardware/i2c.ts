/**
 * The I2C port. A bus takes transfers one at a time, in order; a device is one address on it.
 *
 * Errors are GatewayErrors: BUS_NACK, BUS_TIMEOUT, BUS_ARBITRATION, BUS_IO, BUS_BUSY (a kernel driver owns the address),
 * BUS_MISSING (no such bus), ACCESS_DENIED, BUS_UNSUPPORTED.
 */
export interface I2cBus extends AsyncDisposable {
  /** As configured and shown: `i2c-1`, `sim`. */
  readonly name: string;
  /**
   * Makes the transfers one after the other with nothing of anybody else between them, and resolves to what each read
   * (empty for a plain write). Stops at the first that fails.
   */
  transfer(transfers: readonly I2cTransfer[]): Promise<Uint8Array[]>;
}

export interface I2cTransfer {
  /** 7-bit address. */
  readonly address: number;
  readonly write?: Uint8Array;
  /**
   * Bytes to read. With `write` of one byte it is a combined transfer with a repeated start (at most 32 bytes: SMBus);
   * anything else is written and read as two transfers with a stop between.
   */
  readonly read?: number;
}

/** One chip as its driver sees it. */
export interface I2cDevice {
  readonly busName: string;
  readonly address: number;
  write(bytes: readonly number[] | Uint8Array): Promise<void>;
  /** Exactly `length` bytes, here and below: a shorter answer is BUS_IO. */
  read(length: number): Promise<Uint8Array>;
  /** Register pointer, repeated start, `length` (1 to 32) bytes. */
  readRegister(register: number, length: number): Promise<Uint8Array>;
  writeRegister(register: number, ...bytes: number[]): Promise<void>;
}

export function i2cDevice(bus: I2cBus, address: number): I2cDevice {
  const one = async (transfer: Omit<I2cTransfer, "address">): Promise<Uint8Array> => {
    const [answer] = await bus.transfer([{ address, ...transfer }]);
    return answer ?? new Uint8Array();
  };
  return {
    busName: bus.name,
    address,
    write: async (bytes) => void (await one({ write: Uint8Array.from(bytes) })),
    read: (length) => one({ read: length }),
    readRegister: (register, length) => one({ write: Uint8Array.of(register), read: length }),
    writeRegister: async (register, ...bytes) => void (await one({ write: Uint8Array.of(register, ...bytes) })),
  };
}
