import type { Protocol, RefusalKind } from "./link.ts";
import type { UplinkOptions } from "./options.ts";

/** Brokers that know only 3.1.1 may also just close (before MQTT 5 nothing told them what to answer). */
const SILENT_TRIES = 3;

interface Candidate {
  readonly url: string;
  protocol: Protocol;
  silent: number;
  /** It was reached with this protocol: silence then means something else. */
  proven: boolean;
}

/** Which address to try next, and with which protocol. */
export class Dialer {
  readonly #candidates: Candidate[];
  readonly #auto: boolean;
  #index = 0;

  constructor({ urls, protocol }: Pick<UplinkOptions, "urls" | "protocol">) {
    this.#auto = protocol === "auto";
    const first: Protocol = protocol === "auto" ? "5" : protocol;
    this.#candidates = urls.map((url) => ({ url, protocol: first, silent: 0, proven: false }));
  }

  target(): { readonly url: string; readonly protocol: Protocol } {
    return this.#current();
  }

  connected(): void {
    const candidate = this.#current();
    candidate.proven = true;
    candidate.silent = 0;
  }

  /** `again`: with the same address at once; `next`: another address at once; `wait`: all were tried. */
  refused(kind: RefusalKind): "again" | "next" | "wait" {
    const candidate = this.#current();
    if (this.#auto && kind === "protocol" && candidate.protocol === "5") {
      candidate.protocol = "3.1.1";
      return "again";
    }
    if (this.#auto && kind === "silent" && !candidate.proven) this.#countSilence(candidate);
    this.#index = (this.#index + 1) % this.#candidates.length;
    return this.#index === 0 ? "wait" : "next";
  }

  /** Three silent closes change the protocol, and three more change it back: the broker may have been starting. */
  #countSilence(candidate: Candidate): void {
    candidate.silent++;
    if (candidate.silent < SILENT_TRIES) return;
    candidate.silent = 0;
    candidate.protocol = candidate.protocol === "5" ? "3.1.1" : "5";
  }

  #current(): Candidate {
    const candidate = this.#candidates[this.#index];
    if (!candidate) throw new Error("the uplink needs at least one address");
    return candidate;
  }
}
