import { parseDurationMs } from "../../core/duration.ts";
import { GatewayError } from "../../core/errors.ts";
import { linuxClock } from "../../hardware/clock.ts";
import type { Finding } from "../../lifecycle/audit.ts";
import type { AuditReport, Audits } from "../../wiring/lifecycle/audits.ts";
import { auditAtRest } from "../../wiring/lifecycle/decommission-at-rest.ts";
import { agrees } from "../agrees.ts";
import { type Command, EXIT, type ExitCode, type Invocation } from "../command.ts";
import { askServiceOrStore } from "../service-access.ts";
import { renderTable } from "../table.ts";

export const retained: Command = {
  name: "retained",
  summary: "audit the broker's retained topics: ours and gone, stale, nobody's; exit code 1 if there are such",
  options: [
    { flags: "--older <duration>", about: "stale is what was not updated for this long (30d)" },
    { flags: "--all", about: "anybody's topic on which nothing came for so long, on the bundled broker" },
    { flags: "--clear", about: "clear what is listed and ours, after asking" },
    { flags: "--yes", about: "do not ask" },
  ],
  printsData: true,
  example: "fieldpost retained --clear",
  async run(invocation) {
    const { io, json, options } = invocation;
    const olderMs = parseDurationMs(String(options.older ?? "30d"));
    if (olderMs === undefined)
      throw new GatewayError("USAGE_INVALID", `--older ${options.older} is no duration: \`30d\``);
    const all = options.all === true;
    const report = await ask<AuditReport>(invocation, "retained", { older_ms: olderMs, all }, (audits) =>
      audits.audit(olderMs, all),
    );
    if (options.clear === true) return await clear(invocation, report);
    io.out(json ? `${JSON.stringify(report)}\n` : renderReport(report));
    return report.complete && report.findings.length === 0 ? EXIT.ok : EXIT.unwell;
  },
};

/** Exactly what was listed: what has come meanwhile is for the next time. */
async function clear(invocation: Invocation, report: AuditReport): Promise<ExitCode> {
  const { io, json, options } = invocation;
  const topics = report.findings.filter(({ clearable }) => clearable).map(({ topic }) => topic);
  if (!json) io.out(renderReport(report));
  if (topics.length > 0 && options.yes !== true) {
    if (!process.stdin.isTTY) throw new GatewayError("USAGE_INVALID", "nobody can be asked here: add --yes");
    if (!(await agrees(`Clear these ${topics.length}?`))) return EXIT.unwell;
  }
  const done =
    topics.length === 0
      ? { cleared: [] }
      : await ask<{ cleared: readonly string[] }>(invocation, "clear_retained", { topics }, (audits) =>
          audits.clear(topics),
        );
  if (json) io.out(`${JSON.stringify({ ...report, ...done })}\n`);
  else io.out(`${done.cleared.length} cleared and seen to be gone\n`);
  return report.complete && done.cleared.length === report.findings.length ? EXIT.ok : EXIT.unwell;
}

function ask<T>(
  invocation: Invocation,
  name: string,
  body: unknown,
  atRest: (audits: Audits) => Promise<T>,
): Promise<T> {
  const { io } = invocation;
  const deps = { clock: linuxClock(), random: Math.random, uid: io.uid, signal: io.signal };
  return askServiceOrStore(invocation, name, body, (config) => auditAtRest(config, deps, atRest));
}

function renderReport({ complete, findings, retained: count }: AuditReport): string {
  if (!complete) return "cannot tell: this broker does not answer a wildcard with its retained messages\n";
  if (findings.length === 0) return `${count} retained topics, and nothing is wrong with them\n`;
  const row = ({ topic, kind, why, clearable }: Finding) => [
    kind,
    topic,
    clearable ? why : `${why} (not ours to clear)`,
  ];
  return `${count} retained topics, of which:\n${renderTable(findings.map(row))}`;
}
