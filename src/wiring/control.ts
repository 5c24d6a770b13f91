import { z } from "zod";
import type { Board } from "../core/board.ts";
import type { Clock } from "../core/clock.ts";
import { GatewayError } from "../core/errors.ts";
import type { GatewayInfo } from "../core/gateway.ts";
import type { ControlHandlers } from "../service/control-server.ts";
import { LOG_LEVELS, type RootLog } from "../service/log.ts";
import { statusReport } from "../service/status-report.ts";
import type { Store } from "../store/store.ts";
import { isConsumer } from "../uplink/backlog/destination.ts";
import type { Uplink } from "../uplink/uplink.ts";
import type { BundledBroker } from "./bundled-broker.ts";
import type { ClearFaults } from "./clear-faults.ts";
import type { HomeAssistantSide } from "./home-assistant.ts";
import type { Lifecycle } from "./lifecycle/lifecycle.ts";
import { forgetDevice } from "./small-values.ts";

export interface ControlDeps {
  readonly board: Board;
  /** Undefined where no broker runs in this process. */
  readonly bundled: BundledBroker | undefined;
  readonly clock: Clock;
  readonly gateway: GatewayInfo;
  readonly homeAssistant: Pick<HomeAssistantSide, "announce">;
  readonly lifecycle: Pick<Lifecycle, "audits" | "decommissions" | "faults">;
  /** Where the bundled broker is for others: its private socket is nobody's business. */
  readonly listening: readonly string[];
  readonly log: RootLog;
  readonly store: Store;
  readonly uplink: Uplink;
  readonly clearFaults: ClearFaults;
  /** Takes the configuration file as it is now. Rejects when it is wrong; the old one stays. */
  reload(): Promise<void>;
}

const device = z.string().min(1).max(64);
const requests = {
  decommission: z.strictObject({
    device,
    dry_run: z.boolean().default(false),
    discard: z.boolean().default(false),
  }),
  decommission_of: z.strictObject({ gateway: device, dry_run: z.boolean().default(false) }),
  retained: z.strictObject({ older_ms: z.number().min(0), all: z.boolean().default(false) }),
  clear_retained: z.strictObject({ topics: z.array(z.string().min(1).max(1024)).max(10_000) }),
  announce: z.strictObject({ device: device.optional() }),
  clear_fault: z.strictObject({ device: device.optional() }),
  revive: z.strictObject({ device }),
  log: z.strictObject({ level: z.enum(LOG_LEVELS), part: z.string().max(100).optional() }),
};

/** What commands may ask of the running service. */
export function controlHandlers(deps: ControlDeps): ControlHandlers {
  const { board, bundled, clock, gateway, homeAssistant, lifecycle, listening, log, store, uplink } = deps;
  const { audits, decommissions } = lifecycle;
  const startedMonoMs = clock.monoMs();
  return {
    async status() {
      const link = uplink.linkState();
      const broker = {
        kind: gateway.broker,
        address: gateway.broker === "bundled" ? listening.join(", ") || link.url : link.url,
        connected: link.connected,
        ...(link.protocol && { protocol: link.protocol }),
        ...(link.connections.wanted > 1 && { connections: link.connections }),
        ...(!link.connected && link.lastError && { error: link.lastError.message }),
        ...(bundled && { bundled: bundled.facts() }),
      };
      const faults = [
        ...store.faults().map((fault) => ({ part: "store", ...fault })),
        ...(bundled?.faults() ?? []).map((fault) => ({ part: "broker", ...fault })),
        ...lifecycle.faults().map((fault) => ({ part: "uplink", ...fault })),
        ...uplink.faults().map((fault) => ({ part: "uplink", ...fault })),
      ];
      return statusReport({
        gateway,
        startedMonoMs,
        broker,
        counters: store.counters(),
        consumers: Object.fromEntries(
          store.outbox.destinations.filter(isConsumer).map((name) => [name, store.counters(name)] as const),
        ),
        ignoredReceipts: link.ignoredReceipts,
        usage: store.usage(),
        devices: board.all(),
        faults,
        clock,
      });
    },
    async decommission(body) {
      const { device, dry_run: dryRun, discard } = parse(requests.decommission, body);
      return await decommissions.request(device, { dryRun, discard });
    },
    async decommission_of(body) {
      const request = parse(requests.decommission_of, body);
      return await audits.endOther(request.gateway, request.dry_run);
    },
    retained(body) {
      const { older_ms: olderMs, all } = parse(requests.retained, body);
      return audits.audit(olderMs, all);
    },
    clear_retained: (body) => audits.clear(parse(requests.clear_retained, body).topics),
    async announce(body) {
      const { device: id } = parse(requests.announce, body);
      return { back: homeAssistant.announce(id) };
    },
    async clear_fault(body) {
      return deps.clearFaults(parse(requests.clear_fault, body).device);
    },
    async revive(body) {
      const request = parse(requests.revive, body);
      if (!store.tombstones().has(request.device)) {
        throw new GatewayError("DEVICE_UNKNOWN", `"${request.device}" was not decommissioned`);
      }
      // Its end may have been cut off before that.
      await forgetDevice(request.device, store);
      await store.removeTombstone(request.device);
      await deps.reload();
    },
    async log(body) {
      const { level, part } = parse(requests.log, body);
      log.setLevel(level, part);
    },
    reload: () => deps.reload(),
    flush: () => store.flush(),
  };
}

function parse<Schema extends z.ZodType>(schema: Schema, body: unknown): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new GatewayError("CONFIG_INVALID", `the request is not understood: ${z.prettifyError(parsed.error)}`);
}
