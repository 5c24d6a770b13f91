import { describe, expect, test } from "vitest";
import { sht3xChip } from "../../../src/hardware/simulated/chips/sht3x.ts";
import { simulatedWorld } from "../../../src/hardware/simulated/world.ts";
import { FakeClock } from "../../fakes/clock.ts";

function powerUp() {
  const clock = new FakeClock();
  const chip = sht3xChip(simulatedWorld(clock));
  return { clock, chip, command: (word: number) => chip.write(Uint8Array.of(word >> 8, word & 0xff)) };
}

const noAnswer = expect.objectContaining({ code: "BUS_NACK" });

describe("a simulated SHT3x", () => {
  test("does not acknowledge while it measures, and answers once", async () => {
    const { clock, chip, command } = powerUp();
    command(0x2400);
    await clock.advance(12);
    expect(() => chip.read(6)).toThrow(noAnswer);
    expect(() => command(0xf32d)).toThrow(noAnswer);
    await clock.advance(1);
    expect(chip.read(6)).toHaveLength(6);
    expect(() => chip.read(6)).toThrow(noAnswer);
  });

  test("does not acknowledge a command that it does not have, such as the SHT4x's single bytes", () => {
    const { chip, command } = powerUp();
    expect(() => command(0x1234)).toThrow(noAnswer);
    expect(() => chip.write(Uint8Array.of(0xfd))).toThrow(noAnswer);
  });
});
