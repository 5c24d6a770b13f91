import { openBroker } from "./broker/broker.ts";
import type { Config } from "./config/schema/config.ts";
import { Board } from "./core/board.ts";
import type { Clock } from "./core/clock.ts";
import type { DeviceEvent } from "./core/event.ts";
import type { Random } from "./core/random.ts";
import { linuxHardware } from "./hardware/linux/hardware.ts";
import { blinkLed } from "./hardware/linux/identify.ts";
import { Fleet } from "./sampling/fleet.ts";
import { openControlServer } from "./service/control-server.ts";
import type { HostFacts } from "./service/host-facts.ts";
import type { RootLog } from "./service/log.ts";
import { runTogether } from "./service/run-together.ts";
import { controlSocket, lastWillFile } from "./service/runtime-dir.ts";
import { keepTime } from "./service/timekeeper.ts";
import { openStore } from "./store/open-store.ts";
import { createUplink } from "./uplink/uplink.ts";
import { bundledBroker } from "./wiring/bundled-broker.ts";
import { clearFaultsOf } from "./wiring/clear-faults.ts";
import { commandHandler } from "./wiring/commands.ts";
import { controlHandlers } from "./wiring/control.ts";
import { historyParts } from "./wiring/history.ts";
import { homeAssistantSide } from "./wiring/home-assistant.ts";
import { identify } from "./wiring/identity.ts";
import { LastWill } from "./wiring/last-will.ts";
import { createLifecycle } from "./wiring/lifecycle/lifecycle.ts";
import { settleSmallValues } from "./wiring/lifecycle/settle.ts";
import { gatewayBrokerOptions, privateSocket, shownAddresses, storeOptions, uplinkOptions } from "./wiring/options.ts";
import { Reloader } from "./wiring/reload.ts";
import { requestHandlers } from "./wiring/requests.ts";
import { Roster } from "./wiring/roster.ts";
import { lookForUpdates } from "./wiring/updates.ts";
import { type Vitals, watchVitals } from "./wiring/vitals.ts";

/** The world around the gateway. */
export interface AgentDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: RootLog;
  readonly version: string;
  readonly host: HostFacts;
  /** Memory that outlives the process: the staging file and the sockets. */
  readonly runtimeDirectory: string;
  /** Reads the configuration again; rejects with a ConfigError when it is wrong. */
  loadConfig(): Promise<Config>;
  /** Calls back when somebody wants a reload (SIGHUP), until the returned function is called. */
  onReload(listener: () => void): () => void;
  /** Everything is up. */
  ready(summary: { readonly gateway: string; readonly broker: readonly string[] }): void;
}

/**
 * The whole gateway: sensors -> samplers -> store -> uplink -> broker. Sinks open before sources, so that disposal closes
 * sources first. Resolves at the signal, or with the configuration to start again with.
 */
export async function runAgent(config: Config, deps: AgentDeps, signal: AbortSignal): Promise<Config | undefined> {
  const { clock, log, random, runtimeDirectory } = deps;
  const kind = config.mqtt.urls.length > 0 ? "external" : "bundled";
  const restart = new AbortController();
  let next: Config | undefined;
  let vitals: Vitals = {};
  let latest: string | undefined;

  await using store = await openStore(storeOptions(config, runtimeDirectory), { clock, log: log.part("store") });
  const gateway = identify(store, config.gateway, deps, kind);
  await using broker = config.broker.enabled
    ? await openBroker(gatewayBrokerOptions(config, runtimeDirectory), { clock, log: log.part("broker") })
    : undefined;
  const bundled = broker && bundledBroker(broker);
  const listening = broker ? shownAddresses(broker.addresses, privateSocket(runtimeDirectory)) : [];
  const board = new Board();
  const homeAssistant = homeAssistantSide(config, {
    board,
    clock,
    gateway,
    log: log.part("home-assistant"),
    random,
    signal,
    store,
    announce: () => uplink.announce(),
    deleted: () => lifecycle.decommissions.tidyUp(),
  });
  const options = uplinkOptions(config, gateway, runtimeDirectory);
  const uplink = createUplink(options, {
    store,
    board,
    clock,
    random,
    log: log.part("uplink"),
    gateway,
    ...homeAssistant.uplink,
    ...(bundled && { bundled }),
    commands: (...command) => commands(...command),
    requests: requestHandlers(() => ({ ...parts, identify: blink, reload, restart: () => reloader.restart() })),
    vitals: () => vitals,
    latestVersion: () => latest,
    faults: () => lifecycle.faults(),
    announced: () => lifecycle.decommissions.tidyUp(),
  });
  await using hardware = linuxHardware(clock);
  const blink = () => blinkLed(clock, signal);
  const fleet = new Fleet({ clock, random, log });
  const { controller } = homeAssistant;
  const happened = (event: DeviceEvent) => uplink.tell(event);
  const lastWill = new LastWill(lastWillFile(runtimeDirectory), log);
  const roster = new Roster({ board, clock, controller, fleet, happened, hardware, lastWill, log, store });
  const commands = commandHandler({ roster, clock, maxAgeMs: config.mqtt.commandMaxAgeMs });
  const applyDevices = async (devices: Config["devices"]) => {
    settleSmallValues(devices, store, log);
    await roster.apply(devices);
  };
  const reloader = new Reloader(config, {
    log,
    load: deps.loadConfig,
    applyFiles: async () => broker?.reload(),
    applyDevices,
    devicesChanged: () => lifecycle.decommissions.tidyUp(),
    startAgain(changed) {
      next = changed;
      restart.abort();
    },
  });
  await using lifecycle = createLifecycle({
    board,
    clock,
    gateway,
    log,
    options,
    random,
    roster,
    signal,
    store,
    uplink,
    config: () => reloader.current,
    ...(broker && { retainedFor: broker.retainedFor }),
    gatewayEnded: () => restart.abort(),
  });
  const reload = () => reloader.reload();
  const clearFaults = clearFaultsOf({ roster, store, uplink });
  const shared = { board, clock, gateway, homeAssistant, lifecycle, log, reload, clearFaults };
  const parts = { ...shared, bundled, listening, store, uplink };
  const handlers = controlHandlers(parts);
  await using _control = await openControlServer(controlSocket(runtimeDirectory), config.store.path, handlers, log);

  await applyDevices(config.devices);
  await lifecycle.prepare();
  deps.ready({ gateway: gateway.id, broker: [...config.mqtt.urls, ...listening] });
  await runTogether(AbortSignal.any([signal, restart.signal]), [
    (inner) => lifecycle.run(inner),
    (inner) => watchVitals(hardware.files, clock, (now) => (vitals = now), inner),
    (inner) => fleet.run(inner),
    (inner) => keepTime(store, clock, log.part("clock"), inner),
    (inner) => lookForUpdates(config, { ...deps, take: (version) => (latest = version) }, inner),
    (inner) => reloader.run(deps.onReload, inner),
    ...historyParts(config, { board, clock, gatewayId: gateway.id, log: log.part("history"), store }),
  ]);
  return next;
}
