import { isGatewayError } from "../core/errors.ts";
import type { Value, Values } from "../core/reading.ts";
import type { ChannelFacts, ChannelTable } from "./driver.ts";

/** A channel that was found in the kernel's files. */
export interface KernelChannel {
  readonly key: string;
  readonly facts: ChannelFacts;
  /** `undefined`: it has nothing to say just now. */
  value(): Promise<Value | undefined>;
}

export function tableOf(channels: readonly KernelChannel[]): ChannelTable {
  return Object.fromEntries(channels.map(({ key, facts }) => [key, facts]));
}

/**
 * The channels that answer. One that the kernel cannot read just now is left out; if none answers, the first error is
 * thrown. NOT_FOUND, which says that the device is gone, is thrown at once.
 */
export async function readEach(channels: readonly KernelChannel[]): Promise<Values> {
  const values: Record<string, Value> = {};
  let failure: unknown;
  for (const { key, value } of channels) {
    try {
      const read = await value();
      if (read !== undefined) values[key] = read;
    } catch (error) {
      if (!isGatewayError(error) || isGatewayError(error, "NOT_FOUND")) throw error;
      failure ??= error;
    }
  }
  if (failure !== undefined && Object.keys(values).length === 0) throw failure;
  return values;
}
