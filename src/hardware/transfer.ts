import { GatewayError } from "../core/errors.ts";
import type { I2cTransfer } from "./i2c.ts";

/** SMBus block limit: what a combined transfer can read. */
const MAX_COMBINED_BYTES = 32;
/** What the kernel's i2c-dev takes in one read() or write(). */
const MAX_PLAIN_BYTES = 8192;
/** 0x00..0x07 and 0x78..0x7f are reserved by the I2C specification (UM10204, §3.1.12); 0x03 is where i2cdetect begins. */
const FIRST_ADDRESS = 0x03;
const LAST_ADDRESS = 0x77;

/** One transfer in the terms of the bus. */
export type Step =
  | { readonly kind: "write"; readonly bytes: Uint8Array }
  | { readonly kind: "read"; readonly length: number }
  | { readonly kind: "combined"; readonly register: number; readonly length: number };

/** What a transfer is on the wire, in order. Throws BUS_UNSUPPORTED for what no bus here can make. */
export function stepsOf(busName: string, { address, write, read }: I2cTransfer): Step[] {
  const refuse = (what: string) =>
    new GatewayError("BUS_UNSUPPORTED", `${what} (${hexAddress(address)} on ${busName}) is not possible`);
  if (!Number.isInteger(address) || address < FIRST_ADDRESS || address > LAST_ADDRESS) throw refuse("this address");
  if (write === undefined && read === undefined) throw refuse("a transfer that neither writes nor reads");
  if (write && (write.length < 1 || write.length > MAX_PLAIN_BYTES)) throw refuse(`a write of ${write.length} bytes`);

  const maxRead = write?.length === 1 ? MAX_COMBINED_BYTES : MAX_PLAIN_BYTES;
  if (read !== undefined && (!Number.isInteger(read) || read < 1 || read > maxRead)) {
    throw refuse(`a${write?.length === 1 ? " combined" : ""} read of ${read} bytes`);
  }
  const [register] = write ?? [];
  if (write?.length === 1 && register !== undefined && read !== undefined) {
    return [{ kind: "combined", register, length: read }];
  }
  const steps: Step[] = [];
  if (write) steps.push({ kind: "write", bytes: write });
  if (read !== undefined) steps.push({ kind: "read", length: read });
  return steps;
}

/** `0x76` */
export function hexAddress(address: number): string {
  return `0x${address.toString(16).padStart(2, "0")}`;
}
