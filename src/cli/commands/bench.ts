import { loadConfig } from "../../config/load.ts";
import { GatewayError } from "../../core/errors.ts";
import { linuxClock } from "../../hardware/clock.ts";
import type { Figures, Measuring } from "../bench/measurement.ts";
import { scratchBeside } from "../bench/scratch.ts";
import { type Command, EXIT, type Invocation } from "../command.ts";
import { renderTable } from "../table.ts";

/** Loaded when asked for, so that no other command waits for the servers. */
const parts: Readonly<Record<string, (measuring: Measuring) => Promise<Figures>>> = {
  store: async (measuring) => (await import("../bench/store.ts")).measureStore(measuring),
  uplink: async (measuring) => (await import("../bench/uplink.ts")).measureUplink(measuring),
  broker: async (measuring) => (await import("../bench/broker.ts")).measureBroker(measuring),
};

export const bench: Command = {
  name: "bench",
  arguments: [{ name: "part", about: `only one of ${Object.keys(parts).join(", ")}`, optional: true }],
  summary: "measure the store, the uplink and the bundled broker on this machine's disk, in a scratch directory",
  options: [{ flags: "--path <directory>", about: "measure the disk that holds this directory, not the store's" }],
  printsData: true,
  example: "fieldpost bench store",
  async run(invocation) {
    const { io, json } = invocation;
    const wanted = chosen(invocation.args[0]);
    using scratch = scratchBeside(await pathOf(invocation));
    const measuring = { scratch, clock: linuxClock(), signal: io.signal };
    const measured: Record<string, Figures> = {};
    for (const part of wanted) {
      if (!json) io.err(`measuring the ${part} ...\n`);
      measured[part] = (await parts[part]?.(measuring)) ?? {};
      if (io.signal.aborted) return EXIT.unwell;
    }
    io.out(json ? `${JSON.stringify(measured)}\n` : renderTable(rowsOf(measured)));
    return EXIT.ok;
  },
};

function chosen(part: string | undefined): string[] {
  if (part === undefined) return Object.keys(parts);
  if (part in parts) return [part];
  throw new GatewayError("CONFIG_INVALID", `there is no part "${part}": ${Object.keys(parts).join(", ")}`);
}

async function pathOf({ options, configFile, io }: Invocation): Promise<string> {
  if (typeof options.path === "string") return options.path;
  const { config } = await loadConfig(configFile, { missingFiles: "warn", env: io.env });
  return config.store.path;
}

/** `drained_per_s` is for programs. */
function rowsOf(measured: Readonly<Record<string, Figures>>): string[][] {
  return Object.entries(measured).flatMap(([part, figures]) =>
    Object.entries(figures).map(([name, value]) => {
      const [, what = name, unit = ""] = /^(.*)_(per_s|us|ms|bytes)$/.exec(name) ?? [];
      return [part, what.replaceAll("_", " "), `${value.toLocaleString("en")} ${unit === "per_s" ? "a second" : unit}`];
    }),
  );
}
