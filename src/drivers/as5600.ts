import { GatewayError } from "../core/errors.ts";
import { i2cDriver } from "./driver.ts";
import { bigEndian, hex, mismatch, readByte } from "./registers.ts";

/** Registers (ams AS5600 v1-06, figure 21). */
const STATUS = 0x0b;
const RAW_ANGLE = 0x0c;
const ANGLE = 0x0e;
const MAGNET_DETECTED = 0x20;
const TOO_WEAK = 0x10;
const TOO_STRONG = 0x08;

export const as5600 = i2cDriver({
  name: "as5600",
  aliases: ["as5600l"],
  title: "ams AS5600: angle of a magnet",
  manufacturer: "ams",
  model: "AS5600",
  addresses: [0x36, 0x40],
  weakIdentity: true,
  options: {},
  channels: {
    angle: { quantity: "angle", min: 0, max: 360 },
    raw_angle: { quantity: "angle", title: "Raw angle", min: 0, max: 360, diagnostic: true },
  },
  timing: { minIntervalMs: 10, expectedMs: 10 },
  notes:
    "`angle` is counted from the zero position in the chip's memory, `raw_angle` is not. Without a magnet there is no value; " +
    "with one that is too near or too far for the chip's gain, the angle is `estimated`. A MAX17048 has the same address.",

  /** The upper four bits of an angle are always 0; a MAX17048 has its own registers there. */
  async identify(chip) {
    const high = (await readByte(chip, RAW_ANGLE)) | (await readByte(chip, ANGLE));
    if ((high & 0xf0) !== 0) throw mismatch(chip, "AS5600", `its angles begin with ${hex(high)}`);
    return {};
  },

  async open(chip) {
    return {
      async read() {
        const status = await readByte(chip, STATUS);
        if ((status & MAGNET_DETECTED) === 0) throw new GatewayError("BAD_VALUE", `no magnet${reason(status)}`);
        // The pointer does not go on from one angle to the next ("Automatic Increment of the Address Pointer").
        const [angle, raw] = [await chip.readRegister(ANGLE, 2), await chip.readRegister(RAW_ANGLE, 2)];
        const values = { angle: decode(angle), raw_angle: decode(raw) };
        const isAtGainsEnd = (status & (TOO_WEAK | TOO_STRONG)) !== 0;
        return isAtGainsEnd ? { values, quality: { angle: "estimated", raw_angle: "estimated" } } : { values };
      },
    };
  },
});

function reason(status: number): string {
  if ((status & TOO_WEAK) !== 0) return ": its field is too weak";
  return (status & TOO_STRONG) !== 0 ? ": its field is too strong" : "";
}

/** 4096 steps a turn. */
export function decode(bytes: Uint8Array): number {
  return ((bigEndian(bytes) & 0x0fff) * 360) / 4096;
}
