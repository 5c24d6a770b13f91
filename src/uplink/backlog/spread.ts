import type { Link } from "../link.ts";
import type { Lane } from "./lane.ts";
import type { Parcel } from "./parcel.ts";

interface Binding {
  readonly lane: Lane;
  parcels: number;
}

/**
 * Which device goes over which connection: by a hash of its id, so that each has its share. A device that has readings on
 * the way stays where it is, whatever connections come, for over another one they would overtake.
 */
export class Spread {
  readonly #lanes: Lane[] = [];
  readonly #bindings = new Map<string, Binding>();

  get size(): number {
    return this.#lanes.length;
  }

  /** Of all connections together. */
  get window(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.window, 0);
  }

  of(link: Link): Lane | undefined {
    return this.#lanes.find((lane) => lane.link === link);
  }

  add(lane: Lane): void {
    this.#lanes.push(lane);
  }

  /** Its devices are free to go over others. */
  remove(lane: Lane): void {
    this.#lanes.splice(this.#lanes.indexOf(lane), 1);
    for (const [device, binding] of this.#bindings) if (binding.lane === lane) this.#bindings.delete(device);
  }

  send(parcel: Parcel): void {
    const { device } = parcel.record.record;
    let binding = this.#bindings.get(device);
    if (!binding) {
      binding = { lane: this.#laneOf(device), parcels: 0 };
      this.#bindings.set(device, binding);
    }
    binding.parcels++;
    binding.lane.add(parcel);
  }

  arrived(parcel: Parcel): void {
    const { device } = parcel.record.record;
    const binding = this.#bindings.get(device);
    if (binding && --binding.parcels <= 0) this.#bindings.delete(device);
  }

  #laneOf(device: string): Lane {
    const [first] = this.#lanes;
    const lane = this.#lanes.length > 1 ? this.#lanes[hash(device) % this.#lanes.length] : first;
    if (!lane) throw new Error("there is no connection to send over");
    return lane;
  }
}

/** FNV-1a. */
function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) sum = Math.imul(sum ^ text.charCodeAt(index), 0x01000193);
  return sum >>> 0;
}
