/** The devices that the virtual Pi has, as a user would write them; JSON is YAML. */
export const devices = [
  { id: "climate", driver: "bme280", bus: "i2c-1", address: 0x76, interval: "1s" },
  { id: "flow", driver: "ds18b20", sensor: "28-00155e000001", interval: "3s" },
  { id: "return", driver: "ds18b20", sensor: "28-00155e000002", interval: "3s" },
  { id: "door", driver: "digital-input", pin: 17, interval: "30s" },
];

const GATEWAY = "bench";
export const topic = (rest: string) => `fieldpost/${GATEWAY}/${rest}`;

/** Ports in the guest: Debian's Mosquitto as it comes, the bundled broker beside it. */
export const MOSQUITTO_PORT = 1883;
export const BUNDLED_PORT = 1884;

export const throughMosquitto = { mqtt: { url: `mqtt://127.0.0.1:${MOSQUITTO_PORT}` } };
export const throughBundled = { broker: { listeners: [{ address: "127.0.0.1", port: BUNDLED_PORT }] } };

export const configuration = (storePath: string, broker: object, wanted: readonly object[] = devices) => ({
  gateway: { id: GATEWAY },
  store: { path: storePath },
  web: { enabled: false },
  ...broker,
  devices: wanted,
});

/** What a subscriber to `readings` gets. */
export interface ReadingPayload {
  readonly epoch: number;
  readonly seq: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly replay: boolean;
}

/** `epoch/seq` that did not come, between the first and the last of each epoch that did. */
export function missing(readings: readonly ReadingPayload[]): string[] {
  const came = new Set(readings.map(({ epoch, seq }) => `${epoch}/${seq}`));
  const gaps: string[] = [];
  for (const epoch of new Set(readings.map((reading) => reading.epoch))) {
    const seqs = readings.filter((reading) => reading.epoch === epoch).map(({ seq }) => seq);
    for (let seq = Math.min(...seqs); seq <= Math.max(...seqs); seq++) {
      if (!came.has(`${epoch}/${seq}`)) gaps.push(`${epoch}/${seq}`);
    }
  }
  return gaps;
}
