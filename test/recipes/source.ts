import { readingOf } from "../../src/sink/wire.ts";
import { createGateway, type Gateway } from "../support/gateway.ts";
import { type Collected, collect, type Mosquitto, waitFor } from "../support/mosquitto.ts";

/** What a consumer is to have: each reading by its name. */
export interface Source extends AsyncDisposable {
  readonly gateway: Gateway;
  /** What was published on `readings` so far, repetitions and all. */
  messages(): readonly Collected[];
  /** `gateway/epoch/seq` of each that was published, once. */
  names(): string[];
  /** Resolves once that many more have been published. */
  more(count: number): Promise<void>;
  /** Publishes what was published before once more, as a gateway does whose acknowledgement was lost. */
  repeat(count: number): Promise<void>;
}

export const nameOf = (one: { gateway: string; epoch: number; seq: number }): string =>
  `${one.gateway}/${one.epoch}/${one.seq}`;

/** A whole gateway with several kinds of values at this broker, and a witness of what it publishes. */
export async function startSource(broker: Mosquitto): Promise<Source> {
  const gateway = createGateway();
  gateway.configure(`gateway: { id: gw }
mqtt: { url: ${broker.url} }
devices:
  - { id: climate, driver: bme280, bus: sim, interval: 1s }
  - { id: air, driver: sgp30, bus: sim, interval: 2s }
  - { id: door, driver: digital-input, bus: sim, pin: 17, interval: 1s, device_class: door }
  - { id: pi, driver: host, interval: 1s }
`);
  const witness = await collect(broker.port, "fieldpost/+/+/readings");
  const names = () => {
    const readings = witness.messages.map(({ topic, payload }) => readingOf(topic, "fieldpost", Buffer.from(payload)));
    return [...new Set(readings.map((reading) => (reading ? nameOf(reading) : "no reading")))];
  };
  const source: Source = {
    gateway,
    messages: () => witness.messages,
    names,
    async more(count) {
      const enough = names().length + count;
      await waitFor(() => names().length >= enough, `${count} more readings`);
    },
    async repeat(count) {
      for (const { topic, payload } of witness.messages.slice(-count)) await witness.publish(topic, payload);
    },
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await witness[Symbol.asyncDispose]();
    },
  };
  try {
    await gateway.run();
    return source;
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}
