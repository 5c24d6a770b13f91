import { Board } from "../../src/core/board.ts";
import type { Clock } from "../../src/core/clock.ts";
import { stampNow } from "../../src/core/clock.ts";
import type { Channel, DeviceHealth, DeviceInfo } from "../../src/core/device.ts";
import type { GatewayInfo } from "../../src/core/gateway.ts";
import type { Log, LogFields } from "../../src/core/log.ts";
import { type RetainedMessage, topicsOf } from "../../src/core/topics.ts";
import { linuxClock } from "../../src/hardware/clock.ts";
import { type UplinkOptions, uplinkDefaults } from "../../src/uplink/options.ts";
import type { CommandHandler } from "../../src/uplink/requests/commands.ts";
import type { RequestHandler } from "../../src/uplink/requests/requests.ts";
import type { Subscription } from "../../src/uplink/state.ts";
import { createUplink, type Uplink } from "../../src/uplink/uplink.ts";
import { MemoryStore } from "../fakes/store.ts";

export const gateway: GatewayInfo = {
  id: "gw1",
  name: "Test gateway",
  instance: "0a1b",
  version: "0.0.0",
  host: "testhost",
  kernel: "6.6",
  broker: "external",
  epoch: 1,
};

export const topics = topicsOf("fieldpost", gateway.id);

const channels: readonly Channel[] = [
  { key: "temperature", title: "Temperature", quantity: "temperature", unit: "°C", decimals: 1 },
  { key: "humidity", title: "Humidity", quantity: "humidity", unit: "%", decimals: 0 },
];

export const healthy: DeviceHealth = { state: "ok", sinceMonoMs: 0, online: true, reads: 1, errors: 0 };

export function device(id: string): DeviceInfo {
  return { id, name: `Device ${id}`, driver: "sht4x", intervalMs: 1000, channels };
}

/** Real time, and known to be right. */
export function syncedClock(): Clock {
  return { ...linuxClock(), syncState: () => "synced" };
}

export interface LogLine extends LogFields {
  readonly message: string;
}

export function recordingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const write = (message: string, fields: LogFields = {}) => void lines.push({ message, ...fields });
  const log = { lines, debug: write, info: write, warn: write, error: write, part: () => log };
  return log;
}

export interface Bench extends AsyncDisposable {
  readonly store: MemoryStore;
  readonly board: Board;
  readonly log: ReturnType<typeof recordingLog>;
  readonly clock: Clock;
  readonly uplink: Uplink;
  /** One reading into the store and onto the board, as a sampler does it. */
  sample(device: string, temperature: number): void;
  /** Rejects if the uplink ended otherwise than by being asked. */
  stop(): Promise<void>;
}

export interface BenchParts {
  readonly clock?: Clock;
  /** False: nothing is known yet of the true time. */
  readonly anchored?: boolean;
  readonly gateway?: GatewayInfo;
  readonly discovery?: () => readonly RetainedMessage[];
  readonly replaced?: (topic: string, device: string | undefined) => void;
  readonly subscriptions?: readonly Subscription[];
  readonly requests?: ReadonlyMap<string, RequestHandler>;
  readonly commands?: CommandHandler;
}

/** An uplink with one device, `d1`, running against the given addresses. */
export function bench(options: Partial<UplinkOptions> & Pick<UplinkOptions, "urls">, parts: BenchParts = {}): Bench {
  const clock = parts.clock ?? syncedClock();
  const store = new MemoryStore();
  if (parts.anchored !== false) store.anchor(clock);
  const board = new Board();
  board.add(device("d1"), healthy);
  const log = recordingLog();
  const uplink = createUplink(
    {
      ...uplinkDefaults,
      clientId: "gw1-0a1b",
      topics,
      reconnect: { minMs: 20, maxMs: 60, stableMs: 30_000 },
      ...options,
    },
    {
      store,
      board,
      clock,
      log,
      random: Math.random,
      gateway: parts.gateway ?? gateway,
      discovery: parts.discovery ?? (() => []),
      subscriptions: parts.subscriptions ?? [],
      ...(parts.replaced && { replaced: parts.replaced }),
      ...(parts.requests && { requests: parts.requests }),
      ...(parts.commands && { commands: parts.commands }),
    },
  );
  const stopper = new AbortController();
  const running = uplink.run(stopper.signal);
  const stop = () => {
    stopper.abort();
    return running;
  };
  return {
    store,
    board,
    log,
    clock,
    uplink,
    sample(id, temperature) {
      const reading = { kind: "reading", device: id, at: stampNow(clock), values: { temperature } } as const;
      store.accept(reading);
      board.setValues(reading);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
