import { expect, test } from "vitest";
import { collect, retainedOn, startMosquitto, waitFor } from "../support/mosquitto.ts";

test("the broker that the tests use comes back on its port, with what it kept", async () => {
  await using broker = await startMosquitto({ passwords: { ann: "secret" }, persistence: true });
  const login = { username: "ann", password: "secret" };
  await using collector = await collect(broker.port, "a/#", login);
  await collector.publish("a/b", "1", { retain: true });
  await waitFor(() => collector.on("a/b").length === 1);
  await broker.stop();
  await broker.start();
  expect(await retainedOn(broker.port, "a/#", login)).toMatchObject([{ topic: "a/b", payload: "1", retain: true }]);
});
