import type { Log } from "../../core/log.ts";
import type { Timers } from "../timers.ts";
import type { BoundAddress, Listener } from "./listen.ts";

const WARN_DAYS = 30;
const DAY_MS = 86_400_000;

/** Warns now and once a day of server certificates that end within 30 days; the returned function ends it. */
export function watchExpiry(
  listeners: readonly Listener[],
  log: Log,
  timers: Timers,
  wallMs: () => number,
): () => void {
  const warn = () => {
    for (const { tls, bound } of listeners) {
      const days = tls === undefined ? Number.POSITIVE_INFINITY : Math.floor((tls.expiresAtMs - wallMs()) / DAY_MS);
      const listener = placeOf(bound);
      if (days < 0) log.error("the certificate of a listener has ended: clients refuse it", { listener });
      else if (days < WARN_DAYS) log.warn("the certificate of a listener ends soon: renew it", { listener, days });
    }
  };
  let cancel = () => {};
  const again = () => {
    warn();
    cancel = timers.after(DAY_MS, again);
  };
  again();
  return () => cancel();
}

function placeOf(bound: BoundAddress): string {
  return "path" in bound ? bound.path : `${bound.address}:${bound.port}`;
}
