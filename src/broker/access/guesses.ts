import { isIPv6 } from "node:net";
import type { Timers } from "../timers.ts";

/** Wrong passwords that anyone may mistype before it gets slow. */
const FREE_FAILURES = 5;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 3000;
/** Who would wait longer is sent away. */
const LONGEST_WAIT_MS = 5000;
const FORGET_AFTER_MS = 10 * 60_000;
const MAX_ADDRESSES = 10_000;

interface Guesser {
  failures: number;
  lastFailureMs: number;
  /** When its next attempt may be looked at. */
  nextAtMs: number;
}

/**
 * Slows down who guesses: after some wrong passwords the attempts of an address are looked at one by one, with growing
 * pauses. Right ones do not make up for wrong ones, or a guesser with an account of his own would be as fast as ever.
 */
export class Guesses {
  readonly #timers: Timers;
  /** The one that failed longest ago first; past the limit it is forgotten. */
  readonly #guessers = new Map<string, Guesser>();

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  /** Resolves when an attempt from there may be looked at; false: too many wait, it is to be refused unseen. */
  async turn(address: string): Promise<boolean> {
    const guesser = this.#find(networkOf(address));
    if (guesser === undefined || guesser.failures < FREE_FAILURES) return true;
    const nowMs = this.#timers.nowMs();
    const startMs = Math.max(nowMs, guesser.nextAtMs);
    if (startMs - nowMs > LONGEST_WAIT_MS) return false;
    guesser.nextAtMs = startMs + delayMs(guesser.failures);
    if (startMs > nowMs) await new Promise<void>((resolve) => this.#timers.after(startMs - nowMs, resolve));
    return true;
  }

  failed(address: string): void {
    const network = networkOf(address);
    const guesser = this.#find(network) ?? { failures: 0, lastFailureMs: 0, nextAtMs: 0 };
    const nowMs = this.#timers.nowMs();
    guesser.failures++;
    guesser.lastFailureMs = nowMs;
    if (guesser.failures >= FREE_FAILURES)
      guesser.nextAtMs = Math.max(guesser.nextAtMs, nowMs + delayMs(guesser.failures));
    this.#guessers.delete(network);
    this.#guessers.set(network, guesser);
    if (this.#guessers.size <= MAX_ADDRESSES) return;
    const [oldest] = this.#guessers.keys();
    this.#guessers.delete(oldest as string);
  }

  #find(network: string): Guesser | undefined {
    const guesser = this.#guessers.get(network);
    if (guesser === undefined || this.#timers.nowMs() - guesser.lastFailureMs < FORGET_AFTER_MS) return guesser;
    this.#guessers.delete(network);
    return undefined;
  }
}

function delayMs(failures: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** (failures - FREE_FAILURES), LONGEST_DELAY_MS);
}

/** One host has a whole IPv6 /64 to itself. */
function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address);
  if (mapped) return mapped[1] as string;
  if (!isIPv6(address)) return address;
  const [head = "", tail = ""] = address.split("::");
  const left = head.split(":");
  const right = address.includes("::") ? tail.split(":") : [];
  const zeros = new Array(Math.max(0, 8 - left.length - right.length)).fill("0");
  return [...left, ...zeros, ...right].slice(0, 4).join(":");
}
