import type { Duplex } from "node:stream";

/** What bytes come and go by, whatever is below: a net.Socket is one, with or without TLS. */
export interface Transport extends Duplex {
  setNoDelay(on?: boolean): unknown;
  /** Writes what waits, then closes without waiting for the peer. */
  destroySoon(): void;
}

/** What TLS found out about a client. */
export interface Certified {
  /** As the listener takes it from the certificate; undefined where it takes none. */
  readonly username?: string;
  /** It, or one that it descends from, is on the list that was read last. */
  isRevoked(): boolean;
}
