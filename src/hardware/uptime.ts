/** What the count of the machine's life is made of. */
export interface UptimeHost {
  /** CLOCK_MONOTONIC, which stands still while the machine is suspended, and is all that Node reads. */
  monotonicMs(): number;
  wallMs(): number;
  /** CLOCK_BOOTTIME, which does not: /proc/uptime, to a hundredth of a second. */
  uptimeMs(): number;
}

/** A wall clock that was moved by more than this against the monotonic one was set, or the machine has slept. */
const JUMP_MS = 100;
/** Below this it is the coarseness of /proc/uptime. */
const SLEPT_MS = 50;

/**
 * Milliseconds since the machine booted, suspension included, as fine as CLOCK_MONOTONIC. Waking up moves the wall clock
 * against CLOCK_MONOTONIC (the kernel adds the time slept to it at resume), so /proc/uptime is asked only then.
 */
export function uptimeClock(host: UptimeHost): () => number {
  const shownMs = () => host.wallMs() - host.monotonicMs();
  // Less than nothing where a container is shown an uptime of its own (lxcfs).
  let sleptMs = Math.max(0, sleptSoFarMs(host));
  if (sleptMs < SLEPT_MS) sleptMs = 0;
  let offsetMs = shownMs();
  return () => {
    const nowOffsetMs = shownMs();
    if (Math.abs(nowOffsetMs - offsetMs) > JUMP_MS) {
      const measuredMs = sleptSoFarMs(host);
      if (measuredMs - sleptMs > SLEPT_MS) sleptMs = measuredMs;
    }
    offsetMs = nowOffsetMs;
    return host.monotonicMs() + sleptMs;
  };
}

function sleptSoFarMs(host: UptimeHost): number {
  return host.uptimeMs() - host.monotonicMs();
}
