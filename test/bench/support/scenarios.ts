/** What is measured of a broker: options of the load generator, and what of its answer is compared. Payloads of 64 bytes. */
export interface Scenario {
  readonly key: string;
  readonly title: string;
  readonly load: Readonly<Record<string, string | number>>;
  /** `cpu`: CPU seconds a million messages; `latency`: p50, at a fixed rate; `memory`: of a broker that was just started. */
  readonly compares: "cpu" | "latency" | "memory";
  /** The most that is aimed at: times Mosquitto's, but for memory, in MB. */
  readonly goal: number;
}

export const scenarios: readonly Scenario[] = [
  cpu("a", "QoS 0, 1 to 1", 0.5, { mode: "e2e", qos: 0, credit: 4000 }),
  cpu("b", "QoS 1 in, window 100", 0.5, { mode: "ingest", qos: 1, window: 100 }),
  cpu("c", "QoS 1 end to end", 0.5, { mode: "e2e", qos: 1, window: 100, credit: 400 }),
  cpu("d", "QoS 0, 1 to 100", 0.5, { mode: "e2e", qos: 0, subs: 100, credit: 200 }),
  cpu("m", "100 publishers, 1 in flight each", 1.3, { mode: "many", subs: 100 }),
  latency("f0", "1000 messages a second, QoS 0", 2, { mode: "lat", qos: 0, rate: 1000 }),
  latency("f1", "1000 messages a second, QoS 1", 2, { mode: "lat", qos: 1, rate: 1000 }),
  { key: "e", title: "1000 idle clients", load: { mode: "idle", subs: 1000 }, compares: "memory", goal: 70 },
];

function cpu(key: string, title: string, goal: number, load: Scenario["load"]): Scenario {
  return { key, title, load, compares: "cpu", goal };
}

function latency(key: string, title: string, goal: number, load: Scenario["load"]): Scenario {
  return { key, title, load, compares: "latency", goal };
}
