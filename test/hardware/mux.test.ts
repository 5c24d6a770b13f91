import { describe, expect, test } from "vitest";
import { busName, muxOf } from "../../src/hardware/bus-name.ts";
import { i2cDevice } from "../../src/hardware/i2c.ts";
import { openMuxBus } from "../../src/hardware/mux.ts";
import { SimulatedI2cBus } from "../../src/hardware/simulated/i2c-bus.ts";
import { i2cContract } from "../contracts/i2c.ts";
import { FakeClock } from "../fakes/clock.ts";
import { registerChip } from "../fakes/register-chip.ts";
import { plugMultiplexer } from "../fakes/tca9548a.ts";

const MUX = 0x70;
const CHIP = 0x40;
const registers = [0x11, 0x22, 0x33, 0x44, 0x55];

function board() {
  const bus = new SimulatedI2cBus("i2c-1", new FakeClock());
  const behind = [registers, [0xa0, 0xa1], []].map(
    (held) => new Map(held.length > 0 ? [[CHIP, registerChip(held)]] : []),
  );
  plugMultiplexer(bus, MUX, behind);
  const channel = (number: number) => openMuxBus(`i2c-1/mux@0x70/${number}`, bus, { address: MUX, channel: number });
  return { bus, channel };
}

i2cContract("behind a multiplexer", async () => ({
  bus: await board().channel(0),
  chip: CHIP,
  absent: 0x41,
  registers,
}));

describe("a multiplexer", () => {
  test("keeps apart chips of one address, whoever asks at the same time", async () => {
    const { channel } = board();
    const [first, second] = [i2cDevice(await channel(0), CHIP), i2cDevice(await channel(1), CHIP)];
    const answers = await Promise.all([first, second, first, second].map((device) => device.readRegister(0, 2)));
    expect(answers.map((answer) => [...answer])).toEqual([
      [0x11, 0x22],
      [0xa0, 0xa1],
      [0x11, 0x22],
      [0xa0, 0xa1],
    ]);
  });

  test("is disconnected after each call, also after one that failed", async () => {
    const { bus, channel } = board();
    const behind = await channel(0);
    await i2cDevice(behind, CHIP).readRegister(0, 1);
    await expect(i2cDevice(bus, CHIP).read(1)).rejects.toMatchObject({ code: "BUS_NACK" });
    await expect(i2cDevice(behind, 0x41).read(1)).rejects.toMatchObject({ code: "BUS_NACK" });
    await expect(i2cDevice(bus, CHIP).read(1)).rejects.toMatchObject({ code: "BUS_NACK" });
  });

  test("that is gone is named itself, and heals when it is back", async () => {
    const { bus, channel } = board();
    const behind = await channel(0);
    bus.fault(MUX, { nak: true });
    await expect(i2cDevice(behind, CHIP).read(1)).rejects.toMatchObject({ message: "no answer at 0x70 on i2c-1" });
    await expect(channel(1)).rejects.toMatchObject({ code: "BUS_NACK" });
    bus.fault(MUX);
    expect(await i2cDevice(behind, CHIP).readRegister(0, 1)).toEqual(Uint8Array.of(0x11));
  });

  test("is not what only answers at its address", async () => {
    const { bus, channel } = board();
    bus.plug(MUX, { write: () => undefined, read: (length) => new Uint8Array(length).fill(0xff) });
    await expect(channel(3)).rejects.toMatchObject({ code: "CHIP_MISMATCH" });
  });

  test("cannot have a chip of its own address behind it", async () => {
    const behind = await board().channel(0);
    await expect(i2cDevice(behind, MUX).read(1)).rejects.toMatchObject({ code: "BUS_UNSUPPORTED" });
  });

  test("can stand behind another", async () => {
    const outer = new SimulatedI2cBus("i2c-1", new FakeClock());
    plugMultiplexer(outer, 0x71, [new Map([[CHIP, registerChip(registers)]])]);
    const name = "i2c-1/mux@0x71/0";
    const first = await openMuxBus(name, outer, { address: 0x71, channel: 0 });
    plugMultiplexer(outer, MUX, [new Map(), new Map([[0x41, registerChip([7])]])]);
    const second = await openMuxBus(`${name}/mux@0x70/1`, first, { address: MUX, channel: 1 });
    expect(await i2cDevice(second, 0x41).readRegister(0, 1)).toEqual(Uint8Array.of(7));
  });
});

test.each([
  ["1/mux@0x70/3", "i2c-1/mux@0x70/3"],
  ["/dev/i2c-1/mux@0x77/0", "i2c-1/mux@0x77/0"],
  ["i2c-1/mux@0x70/3/mux@0x71/7", "i2c-1/mux@0x70/3/mux@0x71/7"],
])("%s is the bus %s", (written, name) => {
  expect(busName(written)).toBe(name);
  expect(muxOf(name)?.parent).toBe(name.slice(0, name.lastIndexOf("/mux@")));
});

test.each(["i2c-1", "i2c-1/mux@0x70/8", "i2c-1/mux@0x78/1", "i2c-1/mux@0x70"])(
  "%s is no multiplexer's channel",
  (name) => {
    expect(muxOf(name)).toBeUndefined();
  },
);
