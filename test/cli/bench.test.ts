import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runCommand } from "../support/gateway.ts";

const folder = mkdtempSync(join(tmpdir(), "fieldpost-bench-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const leftovers = (directory: string) => readdirSync(directory).filter((name) => name.startsWith("fieldpost-bench-"));

describe("fieldpost bench", () => {
  it("measures every part on the store's disk, leaves nothing behind and does not touch the store", async () => {
    const store = join(folder, "store");
    mkdirSync(store);
    const config = join(folder, "fieldpost.yaml");
    writeFileSync(config, `store: { path: ${store} }\ndevices: [{ id: c, driver: bme280, bus: sim }]\n`);
    const before = leftovers("/dev/shm");

    const { code, out, err } = await runCommand(["bench", "--json", "--config", config]);

    expect({ code, err }).toEqual({ code: 0, err: "" });
    const measured = JSON.parse(out);
    expect(Object.keys(measured)).toEqual(["store", "uplink", "broker"]);
    expect(Object.keys(measured.store)).toEqual(
      expect.arrayContaining([
        "accept_p99_us",
        "durable_in_groups_of_100_per_s",
        "durable_one_by_one_per_s",
        "event_loop_stall_p99_ms",
      ]),
    );
    for (const figure of [measured.uplink.backlog_drained_per_s, ...Object.values(measured.broker)]) {
      expect(figure).toBeGreaterThan(0);
    }
    expect(measured.store.durable_one_by_one_per_s).toBeGreaterThan(0);
    expect(readdirSync(store)).toEqual([]);
    expect(leftovers("/dev/shm").filter((name) => !before.includes(name))).toEqual([]);
  }, 180_000);

  it("takes one part, and another disk, without a configuration", async () => {
    const missing = join(folder, "none.yaml");
    const { code, out } = await runCommand(["bench", "broker", "--path", folder, "--config", missing]);
    expect(code).toBe(0);
    expect(out).toMatch(/^broker +acknowledged qos1 100 in flight +[\d,]+ a second\nbroker +delivered qos1 +[\d,]+/);
    expect(existsSync(missing)).toBe(false);
    expect(leftovers(folder)).toEqual([]);
  }, 120_000);

  it("says which parts there are", async () => {
    const { code, err } = await runCommand(["bench", "toaster", "--path", folder]);
    expect(code).toBe(2);
    expect(err).toContain("store, uplink, broker");
  });
});
