import { GatewayError } from "../core/errors.ts";
import type { I2cBus, I2cTransfer } from "./i2c.ts";
import { hexAddress } from "./transfer.ts";

/** One channel of a TCA9548A (or PCA9548A) on a bus: a bit of its only register connects it (SCPS207G, §8.6). */
export interface MuxChannel {
  readonly address: number;
  readonly channel: number;
}

/**
 * The bus behind a multiplexer's channel. Each call connects it, makes its transfers and disconnects it, with nothing of
 * anybody else between them: chips of one address behind several channels, or before them, never answer together.
 * Rejects with CHIP_MISMATCH where something else answers at the multiplexer's address.
 */
export async function openMuxBus(name: string, parent: I2cBus, { address, channel }: MuxChannel): Promise<I2cBus> {
  const connect: I2cTransfer = { address, write: Uint8Array.of(1 << channel) };
  const disconnect: I2cTransfer = { address, write: Uint8Array.of(0) };

  const [, answer] = await parent.transfer([connect, { address, read: 1 }, disconnect]);
  if (answer?.[0] !== 1 << channel) {
    const where = `${hexAddress(address)} on ${parent.name}`;
    throw new GatewayError("CHIP_MISMATCH", `the chip at ${where} is not a TCA9548A: it does not keep a channel`);
  }
  let isClosed = false;

  return {
    name,
    async transfer(transfers) {
      if (isClosed) throw new GatewayError("CANCELLED", `${name} is closed`);
      if (transfers.some((transfer) => transfer.address === address)) {
        throw new GatewayError("BUS_UNSUPPORTED", `${hexAddress(address)} on ${name} is the multiplexer itself`);
      }
      try {
        return (await parent.transfer([connect, ...transfers, disconnect])).slice(1, -1);
      } catch (error) {
        // A transfer that fails ends the call before the channel is disconnected. A multiplexer that is gone has none.
        await parent.transfer([disconnect]).catch(() => undefined);
        throw renamed(error, parent.name, name, address);
      }
    },
    // The parent is not ours to close.
    async [Symbol.asyncDispose]() {
      isClosed = true;
    },
  };
}

/** A fault of a chip behind the multiplexer names the bus behind it; its own names the one before. */
function renamed(error: unknown, parent: string, name: string, mux: number): unknown {
  if (!(error instanceof GatewayError) || error.message.includes(hexAddress(mux))) return error;
  return new GatewayError(error.code, error.message.replace(`on ${parent}`, `on ${name}`), { cause: error });
}
