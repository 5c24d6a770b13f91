import { setTimeout as sleep } from "node:timers/promises";
import { loadConfig } from "../../config/load.ts";
import { isGatewayError } from "../../core/errors.ts";
import type { Counters } from "../../core/gateway.ts";
import type { StoredRecord } from "../../core/reading.ts";
import { resolveTime } from "../../core/timeline.ts";
import { openReadOnlyStore, type ReadOnlyStore } from "../../store/database/read-only-store.ts";
import { type Command, EXIT, type Invocation } from "../command.ts";
import { askRunningService } from "../service-access.ts";
import { renderTable } from "../table.ts";

const RATE_MS = 1000;

interface DevicePending {
  readonly device: string;
  readonly pending: number;
  readonly oldest: string;
}

interface OutboxReport {
  readonly counters: Counters;
  /** Pending readings on the disk; what a running service has only in memory is in `counters` alone. */
  readonly devices: readonly DevicePending[];
  /** Readings a second, of a running service. */
  readonly rate?: { readonly sampled: number; readonly delivered: number };
  readonly set_aside: ReadonlyArray<{ readonly epoch: number; readonly seq: number; readonly reason: string }>;
}

export const outbox: Command = {
  name: "outbox",
  arguments: [{ name: "action", about: "`export`: print what is pending as JSON lines", optional: true }],
  summary: "show what waits for delivery, by device, what was dropped and why; or `export` it",
  printsData: true,
  example: "fieldpost outbox export > pending.jsonl",
  async run(invocation) {
    const [action] = invocation.args;
    const { config } = await loadConfig(invocation.configFile, { missingFiles: "warn", env: invocation.io.env });
    if (action !== undefined && action !== "export") {
      invocation.io.err(`error: there is no \`fieldpost outbox ${action}\`: only \`export\`\n`);
      return EXIT.usage;
    }
    if (action === "export") await askToFlush(invocation);
    await using store = await openReadOnlyStore(config.store.path);
    if (action === "export") {
      for await (const stored of store.pending()) invocation.io.out(`${JSON.stringify(lineOf(stored, store))}\n`);
      return EXIT.ok;
    }
    const report = await reportOf(store, invocation);
    invocation.io.out(invocation.json ? `${JSON.stringify(report)}\n` : render(report));
    return EXIT.ok;
  },
};

/** So that what is exported is all that waits; without a service, or one that cannot write, it is what the disk has. */
async function askToFlush(invocation: Invocation): Promise<void> {
  try {
    await askRunningService(invocation, "flush", {});
  } catch (error) {
    if (!isGatewayError(error)) throw error;
  }
}

function lineOf({ epoch, seq, record }: StoredRecord, store: ReadOnlyStore) {
  const { device, values, quality, at } = record;
  return { epoch, seq, device, ...timeOf(at, store), values, ...(quality && { quality }) };
}

function timeOf(at: StoredRecord["record"]["at"], { boots }: ReadOnlyStore): { time: string; clock: string } {
  const fallbackOffsetMs = Date.now() - Number(process.hrtime.bigint() / 1_000_000n);
  const { wallMs, clock } = resolveTime(boots, at, fallbackOffsetMs);
  return { time: new Date(wallMs).toISOString(), clock };
}

async function reportOf(store: ReadOnlyStore, invocation: Invocation): Promise<OutboxReport> {
  const devices = new Map<string, { pending: number; oldest: StoredRecord }>();
  for await (const stored of store.pending()) {
    const known = devices.get(stored.record.device);
    if (known) known.pending += 1;
    else devices.set(stored.record.device, { pending: 1, oldest: stored });
  }
  const live = await liveCounters(invocation);
  return {
    counters: live?.counters ?? store.counters,
    ...(live && { rate: live.rate }),
    devices: [...devices].map(([device, { pending, oldest }]) => ({
      device,
      pending,
      oldest: timeOf(oldest.record.at, store).time,
    })),
    set_aside: (await store.dead()).map(({ epoch, seq, reason }) => ({ epoch, seq, reason })),
  };
}

/** Of the running service, seen twice; undefined where there is none. */
async function liveCounters(invocation: Invocation) {
  const ask = async () => ((await askRunningService(invocation, "status", {})) as { counters: Counters }).counters;
  try {
    const before = await ask();
    await sleep(RATE_MS);
    const counters = await ask();
    const perSecond = (one: number, other: number) => Math.round(((other - one) * 1000) / RATE_MS);
    const rate = {
      sampled: perSecond(before.sampled, counters.sampled),
      delivered: perSecond(before.delivered, counters.delivered),
    };
    return { counters, rate };
  } catch (error) {
    if (isGatewayError(error, "SERVICE_UNREACHABLE", "ACCESS_DENIED")) return undefined;
    throw error;
  }
}

function render({ counters, devices, rate, set_aside }: OutboxReport): string {
  const { sampled, delivered, pending, dropped } = counters;
  const facts = [
    ["readings", `${sampled} sampled = ${delivered} delivered + ${pending} pending + dropped`],
    [
      "dropped",
      Object.entries(dropped)
        .map(([reason, count]) => `${count} ${reason}`)
        .join(", ") || "none",
    ],
    ...(rate ? [["rate", `${rate.sampled} sampled and ${rate.delivered} delivered a second`]] : []),
    ...(set_aside.length > 0 ? [["set aside", `${set_aside.length} kept with their reason (--json lists them)`]] : []),
  ];
  const rows = devices.map(({ device, pending: count, oldest }) => [device, String(count), oldest]);
  const table = rows.length > 0 ? `\n${renderTable([["DEVICE", "PENDING ON DISK", "OLDEST"], ...rows])}` : "";
  return `${renderTable(facts)}${table}`;
}
