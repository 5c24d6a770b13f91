import { z } from "zod";
import { type RequestName, requests } from "../config/schema/requests.ts";
import type { Board, DeviceNow } from "../core/board.ts";
import type { Clock } from "../core/clock.ts";
import { GATEWAY } from "../core/device.ts";
import { GatewayError, isGatewayError, messageOf } from "../core/errors.ts";
import type { GatewayInfo } from "../core/gateway.ts";
import type { Log } from "../core/log.ts";
import type { RequestHandler } from "../uplink/requests/requests.ts";
import type { ClearFaults } from "./clear-faults.ts";
import type { HomeAssistantSide } from "./home-assistant.ts";
import type { Lifecycle } from "./lifecycle/lifecycle.ts";

export interface RequestParts {
  readonly board: Board;
  readonly clock: Clock;
  readonly gateway: GatewayInfo;
  readonly homeAssistant: Pick<HomeAssistantSide, "announce">;
  readonly lifecycle: Pick<Lifecycle, "audits" | "decommissions">;
  readonly log: Log;
  /** Shows which board it is; false where it has no LED that may be switched. */
  identify(): Promise<boolean>;
  clearFaults: ClearFaults;
  reload(): Promise<void>;
  restart(): void;
}

type Handlers = {
  readonly [Name in RequestName]: (
    request: z.output<(typeof requests)[Name]>,
  ) => Promise<Readonly<Record<string, unknown>>>;
};

const DAY_MS = 86_400_000;
/** An answer is one message, and brokers limit those. */
const LISTED_MAX = 200;

/** The gateway's own API over MQTT. The parts come into being with the uplink, so they are asked for when they are needed. */
export function requestHandlers(parts: () => RequestParts): ReadonlyMap<string, RequestHandler> {
  const names = Object.keys(requests) as RequestName[];
  const handler =
    <Name extends RequestName>(name: Name): RequestHandler =>
    async (body) => {
      const parsed = requests[name].safeParse(body);
      if (!parsed.success) throw new GatewayError("REQUEST_INVALID", z.prettifyError(parsed.error));
      return await handlersOf(parts())[name](parsed.data as z.output<(typeof requests)[Name]>);
    };
  return new Map(names.map((name) => [name, handler(name)]));
}

function handlersOf(parts: RequestParts): Handlers {
  const { board, clock, gateway, homeAssistant, lifecycle, log } = parts;
  return {
    async info() {
      return { ...gateway, devices: board.all().map(({ info: { id, name, driver } }) => ({ id, name, driver })) };
    },
    async reload() {
      try {
        await parts.reload();
      } catch (error) {
        if (isGatewayError(error)) throw error;
        throw new GatewayError("CONFIG_INVALID", messageOf(error).slice(0, 2000), { cause: error });
      }
      return {};
    },
    async restart() {
      // The answer goes out first.
      setImmediate(() => parts.restart());
      return {};
    },
    async identify() {
      const blinks = await parts.identify();
      log.info("somebody asks which one this is", { gateway: gateway.id, host: gateway.host, blinks });
      return { host: gateway.host, blinks };
    },
    async clear_fault({ device }) {
      return { ...parts.clearFaults(device) };
    },
    async read({ device }) {
      const wanted = board.all().filter(({ info }) => device === undefined || info.id === device);
      if (device !== undefined && wanted.length === 0)
        throw new GatewayError("DEVICE_UNKNOWN", `no device "${device}"`);
      return { devices: Object.fromEntries(wanted.map((one) => [one.info.id, shown(one, clock)])) };
    },
    async announce({ device }) {
      return { back: homeAssistant.announce(device) };
    },
    async decommission({ device, dry_run: dryRun, discard }) {
      const { decommissions } = lifecycle;
      if (device !== GATEWAY || dryRun) return { ...(await decommissions.request(device, { dryRun, discard })) };
      const plan = await decommissions.request(device, { dryRun: true, discard });
      // Afterwards there is no connection left to answer over.
      setImmediate(() => {
        decommissions.request(device, { dryRun, discard }).catch((error: unknown) => {
          if (!isGatewayError(error)) throw error;
          log.warn("the gateway's decommission is not finished", { reason: error.message });
        });
      });
      return { ...plan, outcome: "begun" };
    },
    async retained({ older_days: days, all, clear }) {
      if (clear) return { ...(await lifecycle.audits.clear(clear)) };
      const { findings, ...report } = await lifecycle.audits.audit(days * DAY_MS, all);
      return { ...report, found: findings.length, findings: findings.slice(0, LISTED_MAX) };
    },
  };
}

function shown({ info, health, newest }: DeviceNow, clock: Clock) {
  const stamps = [...newest.values()].filter(({ at }) => at.boot === clock.bootId()).map(({ at }) => at.monoMs);
  return {
    state: health.state,
    online: health.online,
    ...(health.reason !== undefined && { reason: health.reason }),
    ...(stamps.length > 0 && { age_s: Math.round((clock.monoMs() - Math.max(...stamps)) / 100) / 10 }),
    values: Object.fromEntries([...newest].map(([key, { value }]) => [key, value])),
    units: Object.fromEntries(info.channels.flatMap(({ key, unit }) => (unit === undefined ? [] : [[key, unit]]))),
  };
}
