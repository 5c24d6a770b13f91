import { acceptable } from "./accept.ts";
import { type Connection, connectionOf } from "./connection.ts";
import { documentOf } from "./document.ts";
import { Ids, type Outcome } from "./draft.ts";
import { Entry } from "./entry.ts";
import { OldEntities } from "./old-entities.ts";
import { pinModules } from "./pin-modules.ts";
import { inputDrafts, outputDrafts } from "./pins.ts";
import { readPythonYaml } from "./python-yaml.ts";
import { sensorDrafts } from "./sensors.ts";

export interface Imported {
  /** Our configuration, which `fieldpost check` accepts. */
  readonly yaml: string;
  /** What could not be carried over, one sentence each; they are in the YAML as comments too. */
  readonly notes: readonly string[];
  readonly devices: number;
}

/** A configuration of mqtt-io 2.x -> ours. Throws CONFIG_INVALID where the text is none. */
export function importMqttIo(text: string): Imported {
  const value = readPythonYaml(text);
  const notes: string[] = [];
  const root = new Entry(value, "", notes);
  const connection = connectionOf(root.section("mqtt"));
  const ids = new Ids();
  const old = new OldEntities(value, connection.home_assistant.discovery_prefix);
  const { byName, expanders } = pinModules(root, ids);
  const drafts = [
    ...expanders,
    ...sensorDrafts(root, ids, notes, old),
    ...inputDrafts(root, byName, ids, old),
    ...outputDrafts(root, byName, ids, old),
  ];
  for (const stream of root.entries("stream_modules")) stream.note("left out: serial ports and streams are not read");
  root.without({
    logging: "not carried over: `log.level` is how much is logged",
    reporting: "not carried over: nothing is ever reported to anybody",
    options: "not carried over: there is nothing to install at a start",
  });
  root.finish();
  return finished(connection, drafts, notes, old);
}

function finished(
  connection: Connection,
  outcomes: readonly Outcome[],
  notes: readonly string[],
  old: OldEntities,
): Imported {
  const drafts = outcomes.flatMap(({ device, notes: own }) => (device ? [{ device, notes: own }] : []));
  const lost = outcomes.flatMap(({ device, notes: own }) => (device ? [] : own));
  const accepted = acceptable(connection, drafts, [...notes, ...lost]);
  const all = [...accepted.notes, ...old.notes(accepted.drafts)];
  return {
    yaml: documentOf(accepted.connection, accepted.drafts, all),
    notes: [...all, ...accepted.drafts.flatMap((draft) => draft.notes)],
    devices: accepted.drafts.length,
  };
}
