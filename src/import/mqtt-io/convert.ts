import { acceptable } from "./accept.ts";
import { type Connection, connectionOf } from "./connection.ts";
import { documentOf } from "./document.ts";
import { Ids, type Outcome } from "./draft.ts";
import { Entry } from "./entry.ts";
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
  const { byName, expanders } = pinModules(root, ids);
  const drafts = [
    ...expanders,
    ...sensorDrafts(root, ids, notes),
    ...inputDrafts(root, byName, ids),
    ...outputDrafts(root, byName, ids),
  ];
  for (const stream of root.entries("stream_modules")) stream.note("left out: serial ports and streams are not read");
  root.without({
    logging: "not carried over: `log.level` is how much is logged",
    reporting: "not carried over: nothing is ever reported to anybody",
    options: "not carried over: there is nothing to install at a start",
  });
  root.finish();
  return finished(connection, drafts, notes);
}

function finished(connection: Connection, outcomes: readonly Outcome[], notes: readonly string[]): Imported {
  const drafts = outcomes.flatMap(({ device, notes: own }) => (device ? [{ device, notes: own }] : []));
  const lost = outcomes.flatMap(({ device, notes: own }) => (device ? [] : own));
  const accepted = acceptable(connection, drafts, [...notes, ...lost]);
  return {
    yaml: documentOf(accepted.connection, accepted.drafts, accepted.notes),
    notes: [...accepted.notes, ...accepted.drafts.flatMap((draft) => draft.notes)],
    devices: accepted.drafts.length,
  };
}
