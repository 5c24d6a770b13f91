import { describe, expect, it } from "vitest";
import { spaceOf } from "../../src/store/disk/space.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;

describe("the room that the store may use", () => {
  it("is what is configured while the disk has plenty", () => {
    const disk = { fileBytes: 10 * MIB, freeBytes: 20 * GIB, totalBytes: 32 * GIB };
    expect(spaceOf(disk, { maxBytes: GIB, keepFreeBytes: 64 * MIB })).toMatchObject({
      limitBytes: GIB,
      reason: "full",
      isShort: false,
    });
  });

  it("ends where the disk would have less free than it should", () => {
    const disk = { fileBytes: 100 * MIB, freeBytes: 164 * MIB, totalBytes: 32 * GIB };
    const { limitBytes, reason, isShort } = spaceOf(disk, { maxBytes: GIB, keepFreeBytes: 64 * MIB });
    expect(limitBytes).toBeLessThan(200 * MIB);
    expect(limitBytes).toBeGreaterThan(190 * MIB);
    expect({ reason, isShort }).toEqual({ reason: "disk_full", isShort: false });
  });

  it("stays what it has when others fill the disk", () => {
    const disk = { fileBytes: 100 * MIB, freeBytes: 0, totalBytes: 32 * GIB };
    const { limitBytes, targetBytes, isShort } = spaceOf(disk, { maxBytes: GIB, keepFreeBytes: 64 * MIB });
    expect(targetBytes).toBeGreaterThan(95 * MIB);
    expect(limitBytes).toBeLessThan(100 * MIB);
    expect(isShort).toBe(true);
  });

  it("keeps at most a tenth of a small disk free", () => {
    const disk = { fileBytes: 0, freeBytes: 30 * MIB, totalBytes: 100 * MIB };
    expect(spaceOf(disk, { maxBytes: GIB, keepFreeBytes: 64 * MIB })).toMatchObject({ isShort: false });
  });
});
