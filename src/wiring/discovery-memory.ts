import { GATEWAY } from "../core/device.ts";
import type { Log } from "../core/log.ts";
import type { RetainedMessage } from "../core/topics.ts";
import { type Components, changedComponents, componentsIn, removalPayloads } from "../home-assistant/removals.ts";
import type { Store } from "../store/store.ts";
import { devicesWith, smallKey } from "./small-values.ts";

/** What Home Assistant was told of a device. */
interface Told {
  readonly components: Components;
  /** Removed while nobody knew whether Home Assistant was there to hear of it. */
  readonly pending: Components;
}

export interface MemoryParts {
  readonly store: Pick<Store, "getMeta" | "metaKeys" | "setMeta">;
  readonly log: Log;
  /** Is Home Assistant known to be there? */
  isOnline(): boolean;
  /** Has the device been opened, so that its channels are known for certain? */
  isOpened(device: string): boolean;
}

const NOTHING: Told = { components: {}, pending: {} };

/** What has to be known of earlier announcements, over restarts: what was deleted in Home Assistant, and what it was told. */
export class DiscoveryMemory {
  readonly #parts: MemoryParts;

  constructor(parts: MemoryParts) {
    this.#parts = parts;
  }

  isDeleted(device: string): boolean {
    return this.#parts.store.getMeta(smallKey("ha.deleted", device)) !== undefined;
  }

  /** The user deleted it, or one of its entities, in Home Assistant. */
  deleted(device: string): void {
    if (this.isDeleted(device)) return;
    this.#parts.store.setMeta(smallKey("ha.deleted", device), "1", "soon");
    this.#parts.store.setMeta(smallKey("ha.told", device), undefined, "soon");
    const remedy = `\`fieldpost announce ${device}\` brings it back`;
    this.#parts.log.warn("deleted in Home Assistant: it is not announced any more", { device, remedy });
  }

  /** The topic was cleared: its place is taken for good. */
  replaced(topic: string, device: string): void {
    const replaced = [...new Set([...this.#replaced(device), topic])];
    this.#parts.store.setMeta(smallKey("ha.replaced", device), JSON.stringify(replaced), "soon");
    this.#parts.log.info("the entity goes on here that was announced alone", { device, topic });
  }

  /** The places of others are to be taken once more. */
  replaceAgain(device: string): void {
    if (this.#replaced(device).size > 0) this.#parts.store.setMeta(smallKey("ha.replaced", device), undefined, "soon");
  }

  /** The user asks for it again: one device, or all. Returns those that come back. */
  wanted(device: string | undefined): string[] {
    const deleted = [GATEWAY, ...devicesWith(this.#parts.store.metaKeys(), ["ha.deleted"])];
    const back = deleted.filter((id) => this.isDeleted(id) && id === (device ?? id));
    for (const id of back) this.#parts.store.setMeta(smallKey("ha.deleted", id), undefined, "soon");
    return back;
  }

  /**
   * The message as it has to go out: with what must be said before it so that components that are gone are removed; of a
   * device that was not opened yet, the components that Home Assistant knows already: what it really has is not certain.
   */
  prepared(given: RetainedMessage): RetainedMessage {
    const device = given.device ?? GATEWAY;
    const message = this.#withoutReplaced(given, device);
    const { components, pending } = this.#told(device);
    const known = Object.keys(components).length > 0;
    if (!this.#parts.isOpened(device)) return known ? asKnown(message, components) : message;
    const told = this.#parts.isOnline() ? { ...pending, ...components } : components;
    const before = removalPayloads(message.payload, changedComponents(told, componentsIn(message.payload)));
    return before.length > 0 ? { ...message, before } : message;
  }

  /** It went out. */
  told(message: RetainedMessage): void {
    const device = message.device ?? GATEWAY;
    if (!this.#parts.isOpened(device)) return;
    const before = this.#told(device);
    const components = componentsIn(message.payload);
    const gone = changedComponents({ ...before.pending, ...before.components }, components);
    const told: Told = { components, pending: this.#parts.isOnline() ? {} : gone };
    const text = JSON.stringify(told);
    if (text !== this.#parts.store.getMeta(smallKey("ha.told", device)))
      this.#parts.store.setMeta(smallKey("ha.told", device), text);
  }

  #withoutReplaced({ replaces = [], ...message }: RetainedMessage, device: string): RetainedMessage {
    const replaced = this.#replaced(device);
    const left = replaces.filter(({ topic }) => !replaced.has(topic));
    return left.length > 0 ? { ...message, replaces: left } : message;
  }

  #replaced(device: string): ReadonlySet<string> {
    const text = this.#parts.store.getMeta(smallKey("ha.replaced", device));
    return new Set(text ? (JSON.parse(text) as string[]) : []);
  }

  #told(device: string): Told {
    const text = this.#parts.store.getMeta(smallKey("ha.told", device));
    return text ? JSON.parse(text) : NOTHING;
  }
}

function asKnown(message: RetainedMessage, known: Components): RetainedMessage {
  const payload = JSON.parse(message.payload);
  const components = Object.entries(known).map(([key, component]) => [key, payload.components[key] ?? component]);
  return { ...message, payload: JSON.stringify({ ...payload, components: Object.fromEntries(components) }) };
}
