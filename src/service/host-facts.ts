import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname, release } from "node:os";

/** What the machine says of itself, read once at the start. */
export interface HostFacts {
  readonly host: string;
  readonly kernel: string;
  /** `Raspberry Pi 4 Model B Rev 1.4`; absent on machines without a device tree. */
  readonly model?: string;
  /** Four hex digits that tell this machine from its siblings of the same name. */
  readonly suffix: string;
}

export function hostFacts(root = "/"): HostFacts {
  const read = (path: string): string => {
    try {
      return readFileSync(`${root}${path}`, "utf8").replaceAll("\0", "").trim();
    } catch {
      return "";
    }
  };
  const model = read("proc/device-tree/model");
  const suffix = machineSuffix(read("proc/device-tree/serial-number"), read("etc/machine-id"));
  return { host: hostname(), kernel: release(), suffix, ...(model && { model }) };
}

/** The end of the board's serial number; else of a hash of the machine id, which machine-id(5) asks not to show. */
export function machineSuffix(serial: string, machineId: string): string {
  if (/^[0-9a-f]{4,}$/i.test(serial)) return serial.slice(-4).toLowerCase();
  if (machineId) return createHash("sha256").update(`fieldpost ${machineId}`).digest("hex").slice(0, 4);
  return randomBytes(2).toString("hex");
}

/** Five Pis called raspberrypi are five gateways. */
export function defaultGatewayId(facts: Pick<HostFacts, "host" | "suffix">): string {
  const name = facts.host
    .toLowerCase()
    .replace(/\..*$/, "")
    .replace(/[^a-z0-9_-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return `${name || "fieldpost"}-${facts.suffix}`;
}
