import { test } from "vitest";
import { openLine } from "../support/line.ts";
import { collect, startMosquitto, waitFor } from "../support/mosquitto.ts";
import { bench, topics } from "./bench.ts";

const { readings } = topics.device("d1");

test.each([
  ["an acknowledgement that does not come", { ackTimeoutMs: 1000 }, "no acknowledgement within 1 s"],
  [
    "a ping without an answer, also while readings go out at QoS 0",
    { keepAliveMs: 1000, qos: { state: 0, readings: 0, commands: 0 } },
    "no answer",
  ],
] as const)("a line that looks up and carries nothing is found by %s", async (_title, options, message) => {
  await using broker = await startMosquitto();
  await using line = await openLine(broker.port);
  await using collector = await collect(broker.port, readings);
  await using one = bench({ urls: [line.url], ...options });
  one.sample("d1", 1);
  await waitFor(() => collector.on(readings).length === 1);
  line.swallow(true);
  const pinging = setInterval(() => one.sample("d1", 2), 100);
  await waitFor(() => one.uplink.linkState().lastError?.message.includes(message) === true);
  clearInterval(pinging);
  line.swallow(false);
  line.cut();
  one.sample("d1", 3);
  await waitFor(() => collector.on(readings).some((payload) => JSON.parse(payload).values.temperature === 3));
});
