import { GATEWAY } from "../../core/device.ts";
import { errorAt, type Finding } from "../problems.ts";

/**
 * What was decommissioned and is here again: an old configuration does not bring it back by accident. `gone`: ids with
 * the wall time of their end (milliseconds).
 */
export function tombstoneFindings(
  devices: ReadonlyArray<{ readonly id: string }>,
  gone: ReadonlyMap<string, number>,
): Finding[] {
  const gatewayMs = gone.get(GATEWAY);
  if (gatewayMs !== undefined) {
    const remedy = "`fieldpost decommission --gateway --revive` lets it come back";
    return [errorAt(["gateway"], `this gateway was decommissioned on ${day(gatewayMs)}: ${remedy}`)];
  }
  return devices.flatMap(({ id }, index) => {
    const endedMs = gone.get(id);
    if (endedMs === undefined) return [];
    const remedy = `take it out, or let it come back: \`fieldpost decommission ${id} --revive\``;
    return [errorAt(["devices", index, "id"], `\`${id}\` was decommissioned on ${day(endedMs)}: ${remedy}`)];
  });
}

function day(wallMs: number): string {
  return new Date(wallMs).toISOString().slice(0, 10);
}
