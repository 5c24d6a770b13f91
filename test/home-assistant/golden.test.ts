import { describe, expect, test } from "vitest";
import { prettyJson } from "../../src/config/pretty-json.ts";
import type { GatewayInfo } from "../../src/core/gateway.ts";
import { topicsOf } from "../../src/core/topics.ts";
import { channelsOf } from "../../src/drivers/driver.ts";
import { drivers } from "../../src/drivers/registry.ts";
import { announce, announceGateway } from "../../src/home-assistant/announce.ts";

const gateway: GatewayInfo = {
  id: "greenhouse",
  name: "Greenhouse gateway",
  instance: "0a1b",
  version: "1.2.3",
  host: "pi",
  kernel: "6.12",
  broker: "external",
  epoch: 3,
};
const topics = topicsOf("fieldpost", gateway.id);
const options = { prefix: "homeassistant" };

const pretty = (payload: string) => `${prettyJson(JSON.parse(payload), "")}\n`;

/**
 * An id in here that changes costs every user the entity's history and settings. A line may only be added, or go with its
 * channel; a new text or unit is for the reviewer to judge (write them anew: `npx vitest run test/home-assistant -u`).
 */
describe("what is announced stays as it was", () => {
  test("of the gateway itself", async () => {
    const { payload } = announceGateway(gateway, topics, options);
    await expect(pretty(payload)).toMatchFileSnapshot("golden/gateway.json");
  });

  test.each(drivers.map((driver) => [driver.name, driver] as const))("of %s", async (name, driver) => {
    const channels = channelsOf(driver.channels);
    const info = { id: "device", name: "Device", driver: name, intervalMs: 1000, channels };
    const { payload } = announce(gateway, info, topics, options);
    await expect(pretty(payload)).toMatchFileSnapshot(`golden/${name}.json`);
  });
});
