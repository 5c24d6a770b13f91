import { z } from "zod";
import { present } from "../present.ts";
import { duration, filePath, size } from "./scalars.ts";

const MIB = 2 ** 20;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

export const storeSection = z
  .strictObject({
    path: filePath().default("/var/lib/fieldpost").describe("Directory of the databases"),
    commit_window: duration({ maxMs: HOUR_MS })
      .prefault("5s")
      .describe("What a power cut may cost at most; 0 writes every reading through to the disk"),
    max_size: size({ minBytes: MIB })
      .prefault("1GiB")
      .describe("Most that readings waiting for delivery may take on the disk"),
    keep_free: size()
      .prefault("64MiB")
      .describe("The store does not grow while less than this is free on its disk (of a small disk, a tenth of it)"),
    max_age: duration({ minMs: MINUTE_MS })
      .optional()
      .describe("Readings older than this are dropped, delivered or not")
      .meta({ examples: ["90d"] }),
    when_full: z
      .enum(["drop_oldest", "refuse_newest"])
      .default("drop_oldest")
      .describe("Which readings give way when the store is full"),
  })
  .transform(({ path, commit_window, max_size, keep_free, max_age, when_full }) =>
    present({
      path,
      commitWindowMs: commit_window,
      maxBytes: max_size,
      keepFreeBytes: keep_free,
      maxAgeMs: max_age,
      whenFull: when_full,
    }),
  )
  .prefault({})
  .describe("Where readings wait until the broker has them");

export const removedDevicesSection = z
  .strictObject({
    grace: z
      .union([z.enum(["now", "keep"]), duration()])
      .prefault("24h")
      .describe("When a device that left this file is decommissioned: after this long, `now`, or never (`keep`)"),
  })
  .transform(({ grace }) => ({ graceMs: grace === "now" ? 0 : grace === "keep" ? Number.POSITIVE_INFINITY : grace }))
  .prefault({})
  .describe("What becomes of devices that are taken out of this file");
