import { describe, expect, it } from "vitest";
import { expiredBoots } from "../../src/store/disk/age.ts";

const DAY = 86_400_000;
const NOW = 1_800_000_000_000;
const synced = (boot: string, startMs: number) => ({ boot, anchors: [{ monoMs: 1000, offsetMs: startMs }] });
const dark = (boot: string) => ({ boot, anchors: [] });

describe("boots that are too old", () => {
  it("are all earlier ones once this boot alone has lasted that long", () => {
    expect(expiredBoots([dark("a"), dark("b"), dark("now")], { boot: "now", monoMs: 2 * DAY }, DAY)).toEqual([
      "a",
      "b",
    ]);
  });

  it("are those that ended long ago, as a later boot's anchors say", () => {
    const boots = [synced("a", NOW - 9 * DAY), dark("b"), synced("c", NOW - 5 * DAY), synced("now", NOW - 1000)];
    expect(expiredBoots(boots, { boot: "now", monoMs: 1000 }, 3 * DAY)).toEqual(["a", "b"]);
  });

  it("are none while nothing is known for certain", () => {
    expect(expiredBoots([synced("a", 0), dark("now")], { boot: "now", monoMs: 1000 }, DAY)).toEqual([]);
  });
});
