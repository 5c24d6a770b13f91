import type { MqloadFigures } from "./mqload.ts";
import type { Scenario } from "./scenarios.ts";

/** What does not belong to the load's mode is undefined. */
export type Measured = Partial<MqloadFigures> & Pick<MqloadFigures, "rss_kb">;

/** The medians of all rounds of one broker in one scenario. */
export interface Result {
  readonly scenario: string;
  readonly broker: string;
  readonly rounds: number;
  readonly messagesPerS?: number;
  readonly cpuSPerMillion?: number;
  readonly p50Us?: number;
  readonly p99Us?: number;
  readonly rssMb: number;
  /** What the scenario compares, as a multiple of Mosquitto's: the median of the ratios within a round. */
  readonly ratio?: number;
}

/** `own` and `base` by round: brokers that took turns are compared round by round, so that the machine's moods cancel out. */
export function summarise(
  scenario: Scenario,
  broker: string,
  own: readonly Measured[],
  base: readonly Measured[],
): Result {
  const all = (pick: (measured: Measured) => number | undefined) =>
    median(own.map(pick).filter((value) => value !== undefined));
  const compared = comparedBy(scenario);
  const ratio = median(
    own.map((measured, round) => (compared(measured) ?? Number.NaN) / (compared(base[round]) ?? Number.NaN)),
  );
  return {
    scenario: scenario.key,
    broker,
    rounds: own.length,
    ...defined({
      messagesPerS: all(({ rate }) => rate),
      cpuSPerMillion: all(({ cpu_per_m }) => cpu_per_m),
      p50Us: all(({ p50_us }) => p50_us),
      p99Us: all(({ p99_us }) => p99_us),
      ratio,
    }),
    rssMb: median(own.map(({ rss_kb }) => rss_kb / 1024)),
  };
}

function comparedBy({ compares }: Scenario): (measured: Measured | undefined) => number | undefined {
  if (compares === "cpu") return (measured) => measured?.cpu_per_m;
  return compares === "latency" ? (measured) => measured?.p50_us : (measured) => measured?.rss_kb;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1
    ? (sorted[Math.floor(middle)] ?? Number.NaN)
    : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/** Without what was not measured. */
function defined<T extends Record<string, number>>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !Number.isNaN(value))) as Partial<T>;
}

const columns = ["", "msg/s", "CPU s/million", "p50 µs", "p99 µs", "RSS MB", "of Mosquitto's"];

export function table(scenario: Scenario, results: readonly Result[]): string {
  const rows = results.map((result) => [
    `  ${result.broker}`,
    number(result.messagesPerS, 0),
    number(result.cpuSPerMillion, 2),
    number(result.p50Us, 0),
    number(result.p99Us, 0),
    number(result.rssMb, 0),
    number(result.ratio, 2),
  ]);
  const head = `${scenario.key}: ${scenario.title} (goal: ${goal(scenario)})`;
  return `${[head, ...[columns, ...rows].map(line)].join("\n")}\n`;
}

function goal({ compares, goal }: Scenario): string {
  if (compares === "memory") return `under ${goal} MB`;
  return `${goal} of Mosquitto's ${compares === "cpu" ? "CPU" : "p50"}`;
}

function number(value: number | undefined, digits: number): string {
  return value === undefined ? "-" : value.toFixed(digits);
}

function line(cells: readonly string[]): string {
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(12) : cell.padStart(15))).join("");
}
