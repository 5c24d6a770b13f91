import { RESERVED_DEVICE_IDS } from "../../core/device.ts";
import type { EntityDraft } from "./old-entities.ts";

/** A device of ours in the making, and what of the other file it does not have. */
export interface Draft {
  readonly device: Readonly<Record<string, unknown>> & { readonly id: string; readonly driver: string };
  readonly notes: readonly string[];
}

/** What became of an entry; without a device only the notes say why. */
export interface Outcome {
  readonly device?: Draft["device"];
  readonly notes: readonly string[];
}

export interface ChannelDraft {
  name?: string;
  decimals?: number;
  enabled?: false;
  home_assistant?: EntityDraft;
}

/** Gives each name an id of its own: in ours, unlike there, they are small letters and unique over all kinds. */
export class Ids {
  readonly #taken = new Set<string>();

  idOf(name: string): string {
    const slug = name
      .toLowerCase()
      .replaceAll(/[^a-z0-9_-]+/g, "_")
      .replaceAll(/^_+|_+$/g, "")
      .slice(0, 56);
    const base = slug === "" || RESERVED_DEVICE_IDS.has(slug) ? `device_${slug}`.replace(/_$/, "") : slug;
    let id = base;
    for (let n = 2; this.#taken.has(id); n++) id = `${base}_${n}`;
    this.#taken.add(id);
    return id;
  }
}

/** A name for people: one line of at most 64 characters. Undefined where nothing is left. */
export function nameForPeople(written: string | undefined): string | undefined {
  const line = written?.replaceAll(/\p{Cc}+/gu, " ").trim();
  return line ? line.slice(0, 64).trim() : undefined;
}
