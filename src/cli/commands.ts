import type { Command } from "./command.ts";
import { broker } from "./commands/broker.ts";
import { check } from "./commands/check.ts";
import { decommission } from "./commands/decommission.ts";
import { drivers } from "./commands/drivers.ts";
import { log } from "./commands/log.ts";
import { passwd } from "./commands/passwd.ts";
import { pki } from "./commands/pki.ts";
import { read } from "./commands/read.ts";
import { run } from "./commands/run.ts";
import { schema } from "./commands/schema.ts";
import { status } from "./commands/status.ts";

/** Every command, in the order of help. */
export const commands: readonly Command[] = [
  run,
  check,
  schema,
  drivers,
  read,
  status,
  log,
  decommission,
  broker,
  passwd,
  pki,
];
