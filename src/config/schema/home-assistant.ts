import { z } from "zod";
import { present } from "../present.ts";
import { duration, secret, text, topic } from "./scalars.ts";

const historySection = z
  .strictObject({
    url: text(512)
      .regex(/^https?:\/\/[^/\s]+(\/.*)?$/, { error: "expected an address like `http://homeassistant.local:8123`" })
      .describe("Home Assistant as a browser shows it"),
    token: secret().describe("Long-lived access token of an administrator (`!secret home_assistant_token`)"),
  })
  .describe("After an outage of an hour or more, put its whole hours into Home Assistant's long-term statistics");

export const homeAssistantSection = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Announce the devices to Home Assistant"),
    discovery_prefix: topic().default("homeassistant").describe("As set in Home Assistant's MQTT integration"),
    expire_after: duration({ minMs: 1000 })
      .optional()
      .describe("Entities become unavailable this long after their last state; states are then not retained")
      .meta({ examples: ["10m"] }),
    history: historySection.optional(),
    update_url: z
      .string()
      .max(512)
      .regex(/^https?:\/\/\S+$/, { error: "expected a URL that begins with https:// or http://" })
      .optional()
      .describe('Where to look, once a day, for a newer version: `{"version": …}`, a GitHub release, or plain text')
      .meta({ examples: ["https://example.org/fieldpost/latest.json"] }),
  })
  .transform(({ enabled, discovery_prefix, expire_after, history, update_url }) =>
    present({
      enabled,
      discoveryPrefix: discovery_prefix,
      expireAfterMs: expire_after,
      history,
      updateUrl: update_url,
    }),
  )
  .prefault({})
  .describe("MQTT discovery");
