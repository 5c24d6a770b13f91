import type { BrokerFacts } from "../../core/gateway.ts";
import type { StatusReport } from "../../service/status-report.ts";
import { type Command, EXIT } from "../command.ts";
import { askRunningService } from "../service-access.ts";
import { renderTable } from "../table.ts";

export const status: Command = {
  name: "status",
  summary: "show the running service's health: devices, buffer, broker, clock; exit code 1 if anything is at fault",
  printsData: true,
  example: "fieldpost status --json | jq .counters",
  async run(invocation) {
    const report = (await askRunningService(invocation, "status", {})) as StatusReport;
    invocation.io.out(invocation.json ? `${JSON.stringify(report)}\n` : renderStatus(report));
    return report.faults.length === 0 ? EXIT.ok : EXIT.unwell;
  },
};

function connectionsOf({ broker: { connections } }: StatusReport): string {
  return connections ? `, ${connections.connected} of ${connections.wanted} connections` : "";
}

function consumersOf({ consumers = {}, receipts_ignored = {} }: StatusReport): string[][] {
  const ignored = Object.entries(receipts_ignored).map(([why, count]) => `${count} ${why.replaceAll("_", " ")}`);
  return [
    ...Object.entries(consumers).map(([name, { delivered, pending, dropped_total }]) => [
      `consumer ${name}`,
      `${delivered} confirmed, ${pending} pending, ${dropped_total} dropped`,
    ]),
    ...(ignored.length > 0 ? [["receipts ignored", ignored.join(", ")]] : []),
  ];
}

export function renderStatus(report: StatusReport): string {
  const { gateway, broker, counters, buffer } = report;
  const oldest = buffer.oldest_pending_s === undefined ? "" : `, the oldest for ${buffer.oldest_pending_s} s`;
  const facts = [
    [
      "gateway",
      `${gateway.name} (${gateway.id}), fieldpost ${gateway.version} on ${gateway.host}, up ${report.uptime_s} s`,
    ],
    [
      "broker",
      `${broker.kind} ${broker.address}, ${broker.connected ? `connected (MQTT ${broker.protocol})` : "not connected"}${connectionsOf(report)}`,
    ],
    ...(broker.bundled ? brokerRows(broker.bundled) : []),
    ["readings", `${counters.sampled} sampled, ${counters.delivered} delivered, ${counters.pending} pending${oldest}`],
    ["dropped", listed(counters.dropped) || "none"],
    ...consumersOf(report),
    ...(report.wear ? [["card", `${report.wear.mb_per_day} MB written a day`]] : []),
    ["clock", report.clock],
  ];
  const devices = report.devices.map((device) => [
    device.id,
    device.state,
    device.age_s === undefined ? "-" : `${device.age_s} s ago`,
    device.reason ??
      Object.entries(device.values)
        .map(
          ([key, { value, unit }]) => `${key} ${value}${unit === undefined ? "" : ` ${unit}`}${offsetOf(device, key)}`,
        )
        .join(", "),
  ]);
  const faults = report.faults.map(({ part, code, message }) => `fault: ${part}: ${message} (${code})\n`);
  return `${renderTable(facts)}\n${renderTable([["DEVICE", "STATE", "NEWEST", "VALUES"], ...devices])}${faults.length > 0 ? "\n" : ""}${faults.join("")}`;
}

function brokerRows(facts: BrokerFacts): string[][] {
  const { clients, sessions, subscriptions, retained, queued } = facts;
  const refused = [
    [listed(facts.refused_connections), "at the door"],
    [listed(facts.refusals), "by reason code"],
    [listed(facts.dropped), "deliveries dropped"],
  ].filter(([what]) => what !== "");
  return [
    ["", `${clients} clients, ${sessions} sessions, ${subscriptions} subscriptions`],
    ["", `${retained.messages} retained (${retained.bytes} bytes), ${queued.messages} queued (${queued.bytes} bytes)`],
    ...refused.map(([what, where]) => ["", `${where}: ${what}`]),
  ];
}

const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([reason, count]) => `${count} ${reason}`)
    .join(", ");

function offsetOf({ offsets }: StatusReport["devices"][number], key: string): string {
  const offset = offsets?.[key];
  return offset === undefined ? "" : ` (offset ${offset})`;
}
