import { parse } from "yaml";
import { parseConfig } from "../../src/config/parse.ts";
import { drivers } from "../../src/drivers/registry.ts";

/** As `fieldpost check` judges it, with the secret that the import asks for; throws what is wrong. */
export function checked(yaml: string): ReturnType<typeof parseConfig> {
  const secrets = new Map([["mqtt_password", "of the old file"]]);
  const sources = { secrets, secretsFrom: "secrets.yaml", credentials: undefined, env: {} };
  return parseConfig(yaml, { file: "fieldpost.yaml", drivers, ...sources });
}

type Written = Readonly<Record<string, unknown>>;

/** The text as plain values, tags dropped. */
export function written(yaml: string): Written & { readonly devices: readonly Written[]; readonly mqtt: Written } {
  return { devices: [], ...parse(yaml, { logLevel: "silent" }) };
}
