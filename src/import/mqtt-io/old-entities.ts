import { createHash } from "node:crypto";
import type { Draft } from "./draft.ts";
import { Entry } from "./entry.ts";

/** Home Assistant takes no other characters in a discovery topic (MQTT integration, TOPIC_MATCHER). */
const TOPIC_PART = /^[a-zA-Z0-9_-]+$/;
const MAX_LENGTH = 256;

export type EntryKind = "input" | "output" | "sensor";

/** mqtt-io's lists, and what each entry of theirs is to Home Assistant (its home_assistant.py). */
const KINDS: readonly { readonly kind: EntryKind; readonly list: string; readonly platform: string }[] = [
  { kind: "input", list: "digital_inputs", platform: "binary_sensor" },
  { kind: "output", list: "digital_outputs", platform: "switch" },
  { kind: "sensor", list: "sensor_inputs", platform: "sensor" },
];

/** What our channel says to go on as the entity. */
export interface EntityDraft {
  readonly unique_id: string;
  readonly migrate_from: string;
}

interface OldEntity extends EntityDraft {
  readonly kind: EntryKind;
  readonly name: string;
  readonly where: string;
  /** Ours is of the same platform; of another, Home Assistant would make a new one in any case. */
  readonly isSamePlatform: boolean;
}

/** The entities that mqtt-io announced one by one, if it did. */
export class OldEntities {
  readonly #entities: readonly OldEntity[];
  readonly #notes: readonly string[];
  readonly #given = new Set<OldEntity>();

  /** Looks at the file as a whole, and complains of nothing: whoever converts an entry does. `prefix` is what we announce under. */
  constructor(file: unknown, prefix = "homeassistant") {
    const root = new Entry(file, "", []);
    const mqtt = root.section("mqtt");
    const discovery = mqtt.section("ha_discovery");
    const written = withoutSlashes(discovery.text("prefix") ?? "homeassistant");
    const isAnnounced = discovery.boolean("enabled") === true && written === prefix;
    const base = withoutSlashes(mqtt.text("topic_prefix") ?? "");
    const client = mqtt.text("client_id") ?? `mqtt-io-${createHash("sha1").update(base).digest("hex")}`;
    this.#entities = isAnnounced ? KINDS.flatMap((kind) => entitiesOf(root, kind, client, prefix)) : [];
    const status = `${base}/${mqtt.text("status_topic") ?? "status"}`;
    this.#notes = isAnnounced ? [`its retained status stays at the broker: ${clearing(status)}`] : [];
  }

  /** Once for each: names that are there twice had one entity between them. */
  of(kind: EntryKind, name: string | undefined): EntityDraft | undefined {
    const entity = this.#entities.find((one) => one.kind === kind && one.name === name);
    if (!entity?.isSamePlatform || this.#given.has(entity)) return undefined;
    this.#given.add(entity);
    return { unique_id: entity.unique_id, migrate_from: entity.migrate_from };
  }

  /** What stays behind, once these devices take over what they can. */
  notes(drafts: readonly Draft[]): string[] {
    const taken = new Set(drafts.flatMap(({ device }) => topicsIn(device.channels)));
    const left = this.#entities.filter((entity) => !taken.has(entity.migrate_from));
    const ofEntity = ({ where, migrate_from: topic }: OldEntity) =>
      `${where}: nothing here goes on as its entity in Home Assistant, which ends with ${clearing(topic)}`;
    return [...left.map(ofEntity), ...this.#notes];
  }
}

function entitiesOf(root: Entry, { kind, list, platform }: (typeof KINDS)[number], client: string, prefix: string) {
  return root
    .entries(list, () => [])
    .flatMap((entry): OldEntity[] => {
      const [name = "", module = ""] = [entry.text("name"), entry.text("module")];
      const component = entry.section("ha_discovery").text("component") ?? platform;
      // Those that Home Assistant refuses never became entities.
      if (![client, name, component].every((part) => TOPIC_PART.test(part))) return [];
      const unique_id = `${client}_${module}_${kind}_${name}`;
      const migrate_from = `${prefix}/${component}/${client}/${name}/config`;
      if (/\p{Cc}/u.test(unique_id) || Math.max(unique_id.length, migrate_from.length) > MAX_LENGTH) return [];
      return [{ kind, name, where: entry.where, unique_id, migrate_from, isSamePlatform: component === platform }];
    });
}

function topicsIn(channels: unknown): string[] {
  const settings = Object.values((channels ?? {}) as Record<string, { home_assistant?: EntityDraft }>);
  return settings.flatMap(({ home_assistant: entity }) => (entity ? [entity.migrate_from] : []));
}

function clearing(topic: string): string {
  const quoted = topic.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ").replaceAll("'", String.raw`'\''`);
  return `\`mosquitto_pub -r -n -t '${quoted}'\``;
}

/** As its schema does (`rstrip_slash`). */
function withoutSlashes(text: string): string {
  return text.replace(/\/+$/, "");
}
