import { describe, expect, it } from "vitest";
import { errorsOf, parse } from "./support.ts";

const entity = (text: string) => `devices:
  - id: a
    driver: bme280
    channels: { temperature: { home_assistant: { ${text} } } }
`;
const TOPIC = "homeassistant/sensor/node/object/config";

describe("an entity to go on as", () => {
  it("is its unique_id, and the topic that it was announced on", () => {
    const { config } = parse(entity(`unique_id: u, migrate_from: ${TOPIC}`));
    expect(config.devices[0]?.channels.temperature?.entity).toEqual({ uniqueId: "u", migrateFrom: TOPIC });
  });

  it("may be a computed channel's", () => {
    const { config } = parse(`devices:
  - id: a
    driver: bme280
    computed: { double: { formula: temperature * 2, home_assistant: { unique_id: u } } }
`);
    expect(config.devices[0]?.computed.double?.entity).toEqual({ uniqueId: "u" });
  });

  it.each([
    [`migrate_from: ${TOPIC}`, /unique_id/],
    ["unique_id: u, migrate_from: homeassistant/sensor/+/config", /discovery topic of one entity/],
    ["unique_id: u, migrate_from: homeassistant/device/gw/a/config", /discovery topic of one entity/],
    ["unique_id: u, migrate_from: homeassistant/sensor/a b/config", /discovery topic of one entity/],
    ["unique_id: u, migrate_from: other/sensor/a/config", /Home Assistant hears `homeassistant/],
  ])("is refused as %s", (text, message) => {
    expect(errorsOf(entity(text))).toEqual([expect.stringMatching(message)]);
  });

  it("is one channel's only", () => {
    const both = (key: string) => `${key}: { home_assistant: { unique_id: u, migrate_from: ${TOPIC} } }`;
    const errors = errorsOf(`devices:
  - { id: a, driver: bme280, channels: { ${both("temperature")}, ${both("pressure")} } }
`);
    expect(errors).toHaveLength(2);
    for (const error of errors) expect(error).toContain("taken already by devices[0].channels.temperature");
  });
});
