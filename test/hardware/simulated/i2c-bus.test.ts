import { describe, expect, test } from "vitest";
import { i2cDevice } from "../../../src/hardware/i2c.ts";
import { SimulatedI2cBus } from "../../../src/hardware/simulated/i2c-bus.ts";
import { i2cContract } from "../../contracts/i2c.ts";
import { FakeClock } from "../../fakes/clock.ts";
import { registerChip } from "../../fakes/register-chip.ts";

const CHIP = 0x40;
const registers = [0x11, 0x22, 0x33, 0x44, 0x55];

function open() {
  const clock = new FakeClock();
  const bus = new SimulatedI2cBus("sim", clock);
  bus.plug(CHIP, registerChip(registers));
  return { clock, bus, chip: i2cDevice(bus, CHIP) };
}

i2cContract("simulated", async () => ({ bus: open().bus, chip: CHIP, absent: 0x41, registers }));

describe("a fault on the simulated bus", () => {
  test("unplugging a chip is BUS_NACK until another is plugged in", async () => {
    const { bus, chip } = open();
    bus.unplug(CHIP);
    await expect(chip.read(1)).rejects.toMatchObject({ code: "BUS_NACK", message: "no answer at 0x40 on sim" });
    bus.plug(CHIP, registerChip([7]));
    expect(await chip.readRegister(0, 1)).toEqual(Uint8Array.of(7));
  });

  test("nak is BUS_NACK until it is taken back", async () => {
    const { bus, chip } = open();
    bus.fault(CHIP, { nak: true });
    await expect(chip.read(1)).rejects.toMatchObject({ code: "BUS_NACK" });
    bus.fault(CHIP);
    expect(await chip.readRegister(0, 1)).toEqual(Uint8Array.of(0x11));
  });

  test("hang is BUS_TIMEOUT after a second, and holds up the neighbours", async () => {
    const { clock, bus, chip } = open();
    bus.plug(0x41, registerChip([9]));
    bus.fault(CHIP, { hang: true });
    const order: string[] = [];
    const hanging = chip.read(1).catch((error: { code: string }) => order.push(error.code));
    const waiting = i2cDevice(bus, 0x41)
      .readRegister(0, 1)
      .then(() => order.push("neighbour"));
    await clock.advance(999);
    expect(order).toEqual([]);
    await clock.advance(1);
    await Promise.all([hanging, waiting]);
    expect(order).toEqual(["BUS_TIMEOUT", "neighbour"]);
  });

  test("failEvery fails every n-th transfer with BUS_IO", async () => {
    const { bus, chip } = open();
    bus.fault(CHIP, { failEvery: 3 });
    const results: string[] = [];
    for (let n = 0; n < 6; n++) {
      results.push(
        await chip.read(1).then(
          () => "ok",
          (error: { code: string }) => error.code,
        ),
      );
    }
    expect(results).toEqual(["ok", "ok", "BUS_IO", "ok", "ok", "BUS_IO"]);
  });

  test("corrupt flips a bit of every byte", async () => {
    const { bus, chip } = open();
    bus.fault(CHIP, { corrupt: true });
    expect([...(await chip.readRegister(0, 2))]).toEqual([0x10, 0x23]);
  });
});
