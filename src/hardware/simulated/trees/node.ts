import type { Placement } from "../placement.ts";

/** Where a simulated kernel device stands, and what its driver calls it: as the `device` option asks for it. */
export function nodePath({ options }: Placement, index: number): { readonly node: string; readonly name: string } {
  const wanted = typeof options?.device === "string" ? options.device : `1-00${(0x48 + index).toString(16)}`;
  const node = wanted.startsWith("/") ? wanted : `/sys/devices/platform/sim/${wanted}`;
  const isNode = wanted.startsWith("/") || /^\d+-[0-9a-f]{4}$/.test(wanted);
  return { node, name: isNode ? "sim" : wanted };
}
