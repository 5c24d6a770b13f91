import { expect, test, vi } from "vitest";
import { createGateway } from "../support/gateway.ts";
import { collect, startMosquitto, waitFor } from "../support/mosquitto.ts";

vi.setConfig({ testTimeout: 180_000 });

test("Home Assistant's buttons, a request and the command line clear the fault of a device that is away", async () => {
  await using gateway = createGateway();
  await using broker = await startMosquitto();
  gateway.configure(`gateway: { id: gw }
mqtt: { url: ${broker.url} }
devices:
  - { id: away, driver: sht4x, bus: i2c-97 }
  - { id: well, driver: sht4x, bus: sim, interval: 1s }
`);
  await using asker = await collect(broker.port, [
    "homeassistant/#",
    "fieldpost/gw/response/+",
    "fieldpost/gw/+/state",
  ]);
  await gateway.run();
  const discovery = (device: string) => JSON.parse(asker.on(`homeassistant/device/gw/${device}/config`).at(-1) ?? "{}");
  await waitFor(() => gateway.err().includes("device is absent"), "the fault");
  await waitFor(() => ["away", "gateway"].every((id) => discovery(id).components?.clear_fault), "the buttons");
  await waitFor(() => asker.on("fieldpost/gw/well/state").length > 0, "the other device");

  const answers = () => asker.on("fieldpost/gw/response/clear_fault").map((text) => JSON.parse(text));
  const cleared = () => gateway.err().split("its fault is cleared").length - 1;
  const { away, all } = { away: discovery("away"), all: discovery("gateway") };
  // Its own button must work though the device is offline.
  expect(away.components.clear_fault.availability).toEqual([{ topic: "fieldpost/gw/status" }]);
  for (const [index, { components }] of [away, all].entries()) {
    const { command_topic: topic, payload_press: payload } = components.clear_fault;
    await asker.publish(topic, payload);
    await waitFor(() => answers().length > index, "the answer");
    expect(answers()[index]).toEqual({ ok: true, devices: ["away"], gateway: false });
    expect(cleared()).toBe(index + 1);
  }
  await asker.publish("fieldpost/gw/request/clear_fault", '{"device":"ghost"}');
  await waitFor(() => answers().length > 2, "the refusal");
  expect(answers()[2]).toMatchObject({ ok: false, error: { code: "DEVICE_UNKNOWN" } });

  expect(await gateway.command("clear-fault", "well")).toMatchObject({ code: 0, out: "nothing was at fault\n" });
  expect(await gateway.command("clear-fault")).toMatchObject({ code: 0, out: "cleared, and tried again: away\n" });
  expect(cleared()).toBe(3);
});
