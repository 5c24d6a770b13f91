import type { Command } from "./command.ts";

/** Every command, in the order of help, with the file it is in. */
const loaders = {
  run: async () => (await import("./commands/run.ts")).run,
  check: async () => (await import("./commands/check.ts")).check,
  schema: async () => (await import("./commands/schema.ts")).schema,
  scan: async () => (await import("./commands/scan.ts")).scan,
  drivers: async () => (await import("./commands/drivers.ts")).drivers,
  read: async () => (await import("./commands/read.ts")).read,
  import: async () => (await import("./commands/import.ts")).importOther,
  bench: async () => (await import("./commands/bench.ts")).bench,
  status: async () => (await import("./commands/status.ts")).status,
  log: async () => (await import("./commands/log.ts")).log,
  announce: async () => (await import("./commands/announce.ts")).announce,
  "clear-fault": async () => (await import("./commands/clear-fault.ts")).clearFault,
  decommission: async () => (await import("./commands/decommission.ts")).decommission,
  retained: async () => (await import("./commands/retained.ts")).retained,
  "safe-outputs": async () => (await import("./commands/safe-outputs.ts")).safeOutputs,
  outbox: async () => (await import("./commands/outbox.ts")).outbox,
  backup: async () => (await import("./commands/backup.ts")).backup,
  restore: async () => (await import("./commands/restore.ts")).restore,
  broker: async () => (await import("./commands/broker.ts")).broker,
  sink: async () => (await import("./commands/sink.ts")).sink,
  passwd: async () => (await import("./commands/passwd.ts")).passwd,
  pki: async () => (await import("./commands/pki.ts")).pki,
} satisfies Record<string, () => Promise<Command>>;

export function allCommands(): Promise<Command[]> {
  return Promise.all(Object.values(loaders).map((load) => load()));
}

/** The one that is asked for alone, where it is clear which: it neither waits for what the others need nor keeps it in memory. */
export async function commandsFor([name = ""]: readonly string[]): Promise<Command[]> {
  if (!Object.hasOwn(loaders, name)) return allCommands();
  return [await loaders[name as keyof typeof loaders]()];
}
