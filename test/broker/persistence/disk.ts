import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MachineClock } from "../../../src/broker/persistence/own-time.ts";
import { openTestBroker, type TestBroker } from "../support/broker.ts";

/** A database that outlives the brokers on it, and a machine whose clock is moved by hand. */
export class Disk implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "fieldpost-broker-"));
  monoMs = 50_000;
  wallMs = Date.parse("2026-11-21T10:00:00Z");
  boot = "first";
  synced = true;
  readonly clock: MachineClock = {
    wallMs: () => this.wallMs,
    monoMs: () => this.monoMs,
    bootId: () => this.boot,
    syncState: () => (this.synced ? "synced" : "unsynced"),
  };

  broker(windowMs: number, limits = {}): Promise<TestBroker> {
    const persistence = { directory: this.path, stagingPath: join(this.path, "staging"), windowMs };
    return openTestBroker({ persistence, limits }, { clock: this.clock });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
