import { describe, expect, test } from "vitest";
import { GATEWAY } from "../../src/core/device.ts";
import { forgetDevice, isLeft } from "../../src/wiring/small-values.ts";
import { SmallStore } from "../fakes/small-store.ts";

/** A disk that still has what was removed from memory: of the room, and of the hall. */
class Behind extends SmallStore {
  readonly asked: [readonly string[], readonly string[]][] = [];
  #left = { metaKeys: ["ha.told/room", "offset/hall", "instance"], devices: ["room"] };

  override unwritten() {
    return this.#left;
  }

  override async forget(metaKeys: readonly string[], devices: readonly string[]) {
    this.asked.push([metaKeys, devices]);
    await super.forget(metaKeys, devices);
    const { metaKeys: keys, devices: all } = this.#left;
    this.#left = {
      metaKeys: keys.filter((key) => !metaKeys.includes(key)),
      devices: all.filter((device) => !devices.includes(device)),
    };
  }
}

describe("what is left of a device", () => {
  test("is what memory has, and what it has no more but the disk may have", async () => {
    const store = new Behind({ "driver/room": "learnt", "driver/hall": "learnt" });
    expect(isLeft("room", store)).toBe(true);
    await forgetDevice("room", store);
    expect(store.asked).toEqual([[["driver/room", "ha.told/room"], ["room"]]]);
    expect(isLeft("room", store)).toBe(false);
    expect(isLeft("hall", store)).toBe(true);
    await forgetDevice("room", store);
    expect(store.asked).toHaveLength(1);
  });

  test("of the gateway is that of all devices, and not what is its own", async () => {
    const store = new Behind({ "driver/hall": "learnt", instance: "a" });
    await forgetDevice(GATEWAY, store);
    expect(store.asked).toEqual([[["driver/hall", "ha.told/room", "offset/hall"], ["room"]]]);
    expect(isLeft(GATEWAY, store)).toBe(false);
    expect(store.getMeta("instance")).toBe("a");
  });
});
