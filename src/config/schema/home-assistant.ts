import { z } from "zod";
import { present } from "../present.ts";
import { duration, topic } from "./scalars.ts";

export const homeAssistantSection = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Announce the devices to Home Assistant"),
    discovery_prefix: topic().default("homeassistant").describe("As set in Home Assistant's MQTT integration"),
    expire_after: duration({ minMs: 1000 })
      .optional()
      .describe("Entities become unavailable this long after their last state; states are then not retained")
      .meta({ examples: ["10m"] }),
  })
  .transform(({ enabled, discovery_prefix, expire_after }) =>
    present({ enabled, discoveryPrefix: discovery_prefix, expireAfterMs: expire_after }),
  )
  .prefault({})
  .describe("MQTT discovery");
