import mqtt, { type MqttClient } from "mqtt";

type Dict = Readonly<Record<string, unknown>>;

const PREFIX = "homeassistant";

/**
 * What Home Assistant's MQTT discovery makes of the messages: which entity lives by which topic, and the registry that
 * outlives them. As discovery.py and mixins.py of the integration have it: `migrate_discovery` unloads and keeps the registry's
 * entry, an empty payload takes it away, a component that is nothing but its platform is removed, and a unique id that lives
 * already is refused.
 */
export class SimulatedDiscovery implements AsyncDisposable {
  /** `platform unique_id` -> entity id. */
  readonly registry = new Map<string, string>();
  /** `platform unique_id` -> the discovery topic that it lives by, and its component's key there. */
  readonly alive = new Map<string, { readonly topic: string; readonly component: string }>();
  readonly errors: string[] = [];
  readonly #url: string;
  #client: MqttClient | undefined;

  private constructor(url: string) {
    this.#url = url;
  }

  static async start(url: string): Promise<SimulatedDiscovery> {
    const one = new SimulatedDiscovery(url);
    await one.#connect();
    return one;
  }

  /** The registry stays; what lives is made anew of what is retained. */
  async restart(): Promise<void> {
    await this.#client?.endAsync(true);
    this.alive.clear();
    await this.#connect();
  }

  /** Entity ids of what lives by topics that `isMeant`. */
  entities(isMeant: (topic: string) => boolean = () => true): string[] {
    const keys = [...this.alive].filter(([, { topic }]) => isMeant(topic)).map(([key]) => key);
    return keys.map((key) => this.registry.get(key) ?? "").toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.endAsync(true);
  }

  async #connect(): Promise<void> {
    this.#client = await mqtt.connectAsync(this.#url);
    this.#client.on("message", (topic, payload) => this.#heard(topic, payload.toString()));
    await this.#client.subscribeAsync(`${PREFIX}/#`, { qos: 1 });
  }

  #heard(topic: string, payload: string): void {
    const [, platform = ""] = /^homeassistant\/([^/]+)\/.+\/config$/.exec(topic) ?? [];
    if (platform === "") return;
    const lives = this.#living(topic);
    const config: Dict = payload === "" ? {} : JSON.parse(payload);
    if (payload === "") this.#remove(lives);
    else if (config.migrate_discovery === true) this.#unload(lives);
    else {
      for (const [component, said] of componentsOf(platform, config)) {
        if (Object.keys(said).length === 1) this.#remove(this.#living(topic, component));
        else this.#discover(topic, component, said);
      }
    }
  }

  #living(topic: string, component?: string): string[] {
    const isMeant = (by: { topic: string; component: string }) =>
      by.topic === topic && by.component === (component ?? by.component);
    return [...this.alive].filter(([, by]) => isMeant(by)).map(([key]) => key);
  }

  #discover(topic: string, component: string, said: Dict): void {
    const { platform, unique_id: id, default_entity_id: wanted, name } = said;
    const key = `${platform} ${id}`;
    const by = this.alive.get(key);
    if (by !== undefined && by.topic !== topic) {
      this.errors.push(`${topic}: ${key} lives by ${by.topic} already`);
      return;
    }
    this.alive.set(key, { topic, component });
    const made = String(wanted ?? `${platform}.${String(name).toLowerCase().replaceAll(" ", "_")}`);
    if (!this.registry.has(key)) this.registry.set(key, made);
  }

  #unload(keys: readonly string[]): void {
    for (const key of keys) this.alive.delete(key);
  }

  #remove(keys: readonly string[]): void {
    this.#unload(keys);
    for (const key of keys) this.registry.delete(key);
  }
}

function componentsOf(platform: string, config: Dict): [string, Dict][] {
  if (platform !== "device") return [["", { ...config, platform }]];
  return Object.entries(config.components as Record<string, Dict>);
}
