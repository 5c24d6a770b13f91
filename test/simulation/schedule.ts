import type { Chance } from "./chance.ts";
import type { DiskFault } from "./disk.ts";
import type { DevicePlan } from "./gateway.ts";

/** What happens to the broker, or on the way to it. */
export type Trouble =
  | { readonly what: "breakLink" | "brokerRecovers" | "brokerSilent" | "brokerMute" }
  | { readonly what: "brokerRefusesConnections"; readonly kind: "unreachable" | "busy" | "silent" }
  | { readonly what: "brokerRefusesReadings"; readonly code: number; readonly share: number }
  | { readonly what: "brokerSlow"; readonly delayMs: number };

/** What happens to the machine. */
type Fate =
  | { readonly what: "kill" | "restart" | "syncClock" | "diskRecovers" }
  | { readonly what: "powerCut"; readonly offMs: number; readonly keepsAll: boolean }
  | { readonly what: "diskBreaks"; readonly fault: DiskFault }
  | { readonly what: "diskSlow"; readonly delayMs: number }
  | { readonly what: "setClock"; readonly byMs: number }
  | { readonly what: "suspend"; readonly forMs: number }
  | { readonly what: "reconfigure"; readonly devices: readonly DevicePlan[] };

/** Something that happens, `afterMs` after what happened before. */
export type Happening = { readonly afterMs: number } & (Fate | Trouble);

export interface Schedule {
  readonly devices: readonly DevicePlan[];
  readonly commitWindowMs: number;
  readonly maxBytes: number;
  readonly maxHeldBytes: number;
  readonly whenFull: "drop_oldest" | "refuse_newest";
  readonly holdEstimatedMs: number;
  /** False: nothing will ever set the clock. */
  readonly hasTimeSource: boolean;
  readonly happenings: readonly Happening[];
}

const MINUTE = 60_000;
const DEVICES = ["climate", "soil", "door"] as const;

/** Quota exceeded, unspecified, payload format invalid, not authorised. */
const REFUSALS = [0x97, 0x80, 0x99, 0x87] as const;

/** What happens to one gateway in a minute or so, by chance. */
export function scheduleOf(chance: Chance): Schedule {
  return {
    devices: devicesOf(chance),
    commitWindowMs: chance.pick([5000, 5000, 2000, 0]),
    maxBytes: chance.happens(0.1) ? 22 * 1024 : 1 << 30,
    maxHeldBytes: chance.happens(0.1) ? 3000 : 1 << 24,
    whenFull: chance.happens(0.7) ? "drop_oldest" : "refuse_newest",
    holdEstimatedMs: chance.pick([2000, 10_000]),
    hasTimeSource: chance.happens(0.8),
    happenings: Array.from({ length: chance.between(3, 9) }, () => happening(chance)),
  };
}

function devicesOf(chance: Chance): readonly DevicePlan[] {
  return DEVICES.slice(0, chance.between(1, 3)).map((id) => ({ id, intervalMs: chance.pick([1000, 2000, 3000]) }));
}

function happening(chance: Chance): Happening {
  const afterMs = chance.happens(0.3) ? chance.between(0, 300) : chance.between(0, 12_000);
  return { afterMs, ...whatHappens(chance) };
}

const possible: readonly [weight: number, (chance: Chance) => Fate | Trouble][] = [
  [5, () => ({ what: "kill" })],
  [4, (chance) => ({ what: "powerCut", offMs: chance.between(1000, 10 * MINUTE), keepsAll: chance.happens(0.3) })],
  [2, () => ({ what: "restart" })],
  [3, () => ({ what: "syncClock" })],
  [2, (chance) => ({ what: "setClock", byMs: chance.between(-2 * 60 * MINUTE, 2 * 60 * MINUTE) })],
  [1, (chance) => ({ what: "suspend", forMs: chance.between(1000, 60 * MINUTE) })],
  [4, () => ({ what: "breakLink" })],
  [4, () => ({ what: "brokerSilent" })],
  [2, () => ({ what: "brokerMute" })],
  [2, (chance) => ({ what: "brokerRefusesConnections", kind: chance.pick(["unreachable", "busy", "silent"]) })],
  [2, (chance) => ({ what: "brokerRefusesReadings", code: chance.pick(REFUSALS), share: chance.pick([0.2, 1]) })],
  [2, (chance) => ({ what: "brokerSlow", delayMs: chance.pick([200, 3000]) })],
  [6, () => ({ what: "brokerRecovers" })],
  [5, (chance) => ({ what: "diskBreaks", fault: chance.pick(["full", "full", "io_error", "io_error", "sync_fails"]) })],
  [2, (chance) => ({ what: "diskSlow", delayMs: chance.pick([100, 2000]) })],
  [4, () => ({ what: "diskRecovers" })],
  [2, (chance) => ({ what: "reconfigure", devices: devicesOf(chance) })],
];
const TOTAL = possible.reduce((sum, [weight]) => sum + weight, 0);

function whatHappens(chance: Chance): Fate | Trouble {
  let left = chance.random() * TOTAL;
  for (const [weight, make] of possible) {
    left -= weight;
    if (left < 0) return make(chance);
  }
  return { what: "kill" };
}
