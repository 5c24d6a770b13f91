import { examineConfig } from "../../config/parse.ts";
import type { Problem } from "../../config/problems.ts";
import { drivers } from "../../drivers/registry.ts";
import type { Connection } from "./connection.ts";
import { documentOf } from "./document.ts";
import type { Draft } from "./draft.ts";

const MAX_DEVICES = 256;
/** Each round takes out all that is wrong; more than a few only follow from one another. */
const MAX_ROUNDS = 20;

interface Acceptable {
  readonly connection: Connection;
  readonly drafts: readonly Draft[];
  readonly notes: readonly string[];
}

/**
 * Leaves out what our own check refuses, with its reason: an address that the chip cannot have, a pin that two devices
 * want. So the rules stand in one place, and whatever comes out is valid.
 */
export function acceptable(connection: Connection, drafts: readonly Draft[], notes: readonly string[]): Acceptable {
  const surplus = drafts
    .slice(MAX_DEVICES)
    .map(({ device }) => `${device.id}: left out: ${MAX_DEVICES} devices at most`);
  let current: Acceptable = { connection, drafts: drafts.slice(0, MAX_DEVICES), notes: [...notes, ...surplus] };
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const wrong = errorsIn(current);
    if (wrong.length === 0) return current;
    current = without(current, wrong);
  }
  throw new Error("what the import makes is not accepted by the check");
}

function errorsIn({ connection, drafts }: Acceptable): readonly Problem[] {
  const text = documentOf(connection, drafts, []);
  const secrets = new Map([["mqtt_password", "of the file"]]);
  const sources = { secrets, secretsFrom: "secrets.yaml", credentials: undefined, env: {} };
  const { problems } = examineConfig(text, { file: "fieldpost.yaml", drivers, ...sources });
  return problems.filter(({ severity }) => severity === "error");
}

function without({ connection, drafts, notes }: Acceptable, wrong: readonly Problem[]): Acceptable {
  const refused = new Map<number, string>();
  for (const { path, message } of wrong) {
    const [, index] = /^devices\[(\d+)\]/.exec(path ?? "") ?? [];
    if (index === undefined) throw new Error(`the import made a wrong ${path ?? "file"}: ${message}`);
    if (!refused.has(Number(index)))
      refused.set(Number(index), `${path?.replace(/^devices\[\d+\]\.?/, "")}: ${message}`);
  }
  const reasons = drafts.flatMap(({ device }, index) => {
    const reason = refused.get(index);
    return reason === undefined ? [] : [`${device.id}: left out: ${reason}`];
  });
  return { connection, drafts: drafts.filter((_, index) => !refused.has(index)), notes: [...notes, ...reasons] };
}
