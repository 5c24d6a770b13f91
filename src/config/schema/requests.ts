import { z } from "zod";

const device = z.string().regex(/^[a-z0-9_-]{1,64}$/);
const DAYS_MAX = 3650;

/** What can be asked under `request/<name>`, besides `replay`; unknown keys are refused, so that a misspelt one is not lost. */
export const requests = {
  info: z.strictObject({}),
  reload: z.strictObject({}),
  restart: z.strictObject({}),
  identify: z.strictObject({}),
  clear_fault: z.strictObject({
    device: device.optional().describe("Absent: every device, and what the broker refused"),
  }),
  read: z.strictObject({ device: device.optional().describe("Absent: every device") }),
  announce: z.strictObject({ device: device.optional().describe("Absent: everything; `gateway`: the gateway's own") }),
  decommission: z.strictObject({
    device: device.describe("`gateway` ends all of it"),
    dry_run: z.boolean().default(false).describe("Only say what would be cleared"),
    discard: z.boolean().default(false).describe("Drop its readings that wait, instead of delivering them"),
  }),
  retained: z.strictObject({
    older_days: z.number().min(0).max(DAYS_MAX).default(30).describe("Stale is what was not updated for so long"),
    all: z
      .boolean()
      .default(false)
      .describe("Others' topics too, on which nothing came for so long: bundled broker only"),
    clear: z
      .array(z.string().min(1).max(1024))
      .max(200)
      .optional()
      .describe("Topics to clear, as an answer listed them; nothing else is touched"),
  }),
} as const;

export type RequestName = keyof typeof requests;

/** What each is for. */
export const requestsAbout: Readonly<Record<RequestName, string>> = {
  info: "Asks what the gateway is, and which devices it has",
  reload: "Takes the configuration file as it is now",
  restart: "Starts the gateway again within its process",
  identify: "Blinks the board's LED, where it may, and says so in the log",
  clear_fault: "Holds nothing against a device any more, and opens it at once where it is not well",
  read: "Asks for the newest values, their age and the device's health",
  announce: "Announces to Home Assistant once more, also what was deleted there",
  decommission: "Ends a device, or the gateway, for good",
  retained: "Audits what is retained, or clears what an audit listed",
};
