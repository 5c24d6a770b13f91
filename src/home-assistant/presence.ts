import type { Clock } from "../core/clock.ts";
import type { Random } from "../core/random.ts";

/** A message as far as it matters here. */
interface Heard {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retained: boolean;
}

/** Something to hear from the broker. */
export interface Listener {
  readonly filter: string;
  onMessage(message: Heard): void;
}

const SOONEST_MS = 1000;
const LATEST_MS = 5000;

/** Twenty gateways hear the same birth message: each answers at a moment of its own. */
export function birthDelayMs(random: Random): number {
  return SOONEST_MS + random() * (LATEST_MS - SOONEST_MS);
}

export interface BirthParts {
  readonly prefix: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Discovery and states once more. */
  readonly announce: () => void;
  readonly signal: AbortSignal;
}

/**
 * Announces anew when Home Assistant has come up. It sends its birth message several times in a row at times; what comes
 * while an answer is due is answered by that. A retained one is from before we connected, and connecting announces.
 */
export function onBirth({ prefix, clock, random, announce, signal }: BirthParts): Listener {
  let due = false;
  const answer = async () => {
    await clock.sleep(birthDelayMs(random), signal);
    due = false;
    announce();
  };
  return {
    filter: `${prefix}/status`,
    onMessage({ payload, retained }) {
      if (due || retained || text(payload) !== "online") return;
      due = true;
      answer().catch(() => {
        due = false;
      });
    },
  };
}

/**
 * Hears when the user deletes a device, or one of its entities, in Home Assistant, which then empties our discovery
 * topic: announcing it again is for the user to ask. Our own withdrawal is heard too. `gateway` is the gateway's own.
 */
export function onDeletion(prefix: string, gatewayId: string, deleted: (device: string) => void): Listener {
  const root = `${prefix}/device/${gatewayId}/`;
  return {
    filter: `${root}+/config`,
    onMessage({ topic, payload }) {
      const device = topic.slice(root.length).split("/")[0];
      if (payload.length === 0 && device) deleted(device);
    },
  };
}

function text(payload: Uint8Array): string {
  return new TextDecoder().decode(payload);
}
