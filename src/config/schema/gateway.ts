import { z } from "zod";
import { present } from "../present.ts";
import { text } from "./scalars.ts";

export const gatewaySection = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9_-]{1,64}$/, { error: "expected an id: a to z, 0 to 9, `_` and `-`, at most 64" })
      .optional()
      .describe(
        "Names this gateway in every topic and in Home Assistant; by default the host name and four hex digits of the board's serial, frozen at the first run",
      )
      .meta({ examples: ["greenhouse"] }),
    name: text(64)
      .optional()
      .describe("Name for people; by default made of the id")
      .meta({ examples: ["Greenhouse gateway"] }),
    area: text(64)
      .optional()
      .describe("Suggested area in Home Assistant, also for devices without their own")
      .meta({ examples: ["Greenhouse"] }),
  })
  .transform(present)
  .prefault({})
  .describe("Who this gateway is");

export const logSection = z
  .strictObject({
    level: z.enum(["debug", "info", "warn", "error"]).default("info").describe("The least that is logged"),
  })
  .prefault({})
  .describe("The service's log; `fieldpost log` changes it while it runs");
