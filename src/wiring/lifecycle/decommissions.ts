import { GATEWAY } from "../../core/device.ts";
import { isGatewayError } from "../../core/errors.ts";
import type { Log } from "../../core/log.ts";
import { clearAndSee } from "../../lifecycle/clear.ts";
import { type DecommissionRequest, type DecommissionResult, decommission } from "../../lifecycle/decommission.ts";
import { isAt } from "../../store/store.ts";
import { type DecommissionParts, devicePorts, gatewayPorts } from "./decommission-ports.ts";

export interface DecommissionsParts extends DecommissionParts {
  readonly log: Log;
  /** Ids that configured devices had before. */
  formerIds(): ReadonlySet<string>;
  /** The gateway itself is ended: nothing is left to run for. */
  gatewayEnded(): void;
}

/** How often the gateway's own end is tried again. */
const RETRY_MS = 5000;

/**
 * Ends devices and the gateway, one after the other however many ask at once. What could not be done without the broker
 * is found again by its tombstone and by what the ledger still holds, in this process or the next, and done when the
 * broker is there.
 */
export class Decommissions {
  readonly #parts: DecommissionsParts;
  #turn: Promise<unknown> = Promise.resolve();
  #gatewayAsked: DecommissionRequest | undefined;
  #wake: () => void = () => undefined;
  /** Why the last one was queued: the same news is told once. */
  #toldReason: string | undefined;

  constructor(parts: DecommissionsParts) {
    this.#parts = parts;
  }

  /** `gateway` for all of it. Rejects as `decommission`. */
  async request(id: string, request: DecommissionRequest): Promise<DecommissionResult> {
    try {
      return await this.#alone(() => this.#decommission(id, request));
    } finally {
      if (this.#parts.store.tombstones().has(GATEWAY)) this.#endGateway(request);
    }
  }

  /** Nothing is announced of what was decommissioned. */
  async keepQuiet(): Promise<void> {
    const { store, uplink } = this.#parts;
    for (const id of store.tombstones().keys()) await uplink.forget(id);
  }

  /** A gateway that was decommissioned does not show itself again, unless it still has readings to deliver. */
  async whileNeeded(run: () => Promise<void>): Promise<void> {
    const { store } = this.#parts;
    if (store.tombstones().has(GATEWAY) && store.counters().pending === 0) return;
    await run();
  }

  /**
   * What is to be done at each new connection, when a topic was given up, and when the devices changed: what was queued, and
   * what nobody feeds any more. Nothing without a connection, for the next one begins with it.
   */
  tidyUp(): void {
    if (!this.#parts.uplink.linkState().connected) return;
    this.#alone(async () => {
      await this.#finishQueued();
      await this.#sweep();
    }).catch((error: unknown) => this.#failed(error));
  }

  /** Ends the gateway once that was asked for, in this process or in an earlier one. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, store, log } = this.#parts;
    if (store.tombstones().has(GATEWAY)) this.#gatewayAsked ??= { dryRun: false, discard: false };
    while (!signal.aborted && this.#gatewayAsked === undefined) await this.#asked(signal);
    while (!signal.aborted) {
      const request = this.#gatewayAsked ?? { dryRun: false, discard: false };
      const result = await this.#alone(() => this.#decommission(GATEWAY, request)).catch((error: unknown) =>
        this.#failed(error),
      );
      if (result?.outcome === "done") {
        log.info("the gateway is decommissioned", { topics: result.topics.length });
        return this.#parts.gatewayEnded();
      }
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }

  async #decommission(id: string, request: DecommissionRequest): Promise<DecommissionResult> {
    const ports = id === GATEWAY ? gatewayPorts(this.#parts) : devicePorts(id, this.#parts);
    const { log } = this.#parts;
    const result = await decommission(request, ports, (step) => log.info("decommissioning", { id, step }));
    if (result.reason !== undefined && result.reason !== this.#toldReason) {
      log.warn("decommission is queued", { id, reason: result.reason });
    }
    this.#toldReason = result.reason;
    return result;
  }

  async #finishQueued(): Promise<void> {
    const { log, store, uplink } = this.#parts;
    for (const id of store.tombstones().keys()) {
      const entries = id === GATEWAY ? [] : await store.ledger.topics({ device: id });
      if (!entries.some((entry) => isAt(uplink.broker(), entry))) continue;
      const result = await this.#decommission(id, { dryRun: false, discard: false }).catch((error: unknown) =>
        this.#failed(error),
      );
      if (result?.outcome === "done") log.info("decommission is finished", { id, cleared: result.topics.length });
    }
  }

  /** After a change of the base topic, the discovery prefix, the gateway's or a device's id what was there before is nobody's. */
  async #sweep(): Promise<void> {
    const { board, log, store, uplink } = this.#parts;
    if (store.tombstones().has(GATEWAY)) return;
    // Its `offline` may be under way.
    for (const id of this.#parts.formerIds()) await uplink.forget(id);
    const current = uplink.currentTopics();
    const entries = (await store.ledger.topics("all")).filter((entry) => isAt(uplink.broker(), entry));
    const isOurs = (device: string | undefined) =>
      device === undefined || board.get(device) !== undefined || this.#parts.formerIds().has(device);
    const outdated = entries
      .filter(({ topic, device }) => !current.has(topic) && isOurs(device))
      .map(({ topic }) => topic);
    if (outdated.length === 0) return;
    await clearAndSee(outdated, uplink, async (topic) => {
      // A new device may have taken the id in the meantime.
      if (!uplink.currentTopics().has(topic)) await store.ledger.cleared(topic, uplink.broker());
    });
    log.info("topics of an earlier configuration are cleared", { topics: outdated.length });
  }

  #endGateway({ discard }: DecommissionRequest): void {
    this.#gatewayAsked ??= { dryRun: false, discard };
    this.#wake();
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#turn.catch(() => undefined).then(work);
    this.#turn = next;
    return next;
  }

  #asked(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      this.#wake = resolve;
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** It is tried again at the next connection. */
  #failed(error: unknown): undefined {
    if (!isGatewayError(error)) throw error;
    this.#parts.log.warn("what was left could not be cleared", { code: error.code, reason: error.message });
    return undefined;
  }
}
