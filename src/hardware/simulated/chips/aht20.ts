import { nack, type SimulatedChip, type World } from "../chip.ts";
import { coded } from "./registers.ts";
import { sensirionCrc } from "./sensirion.ts";

const MEASUREMENT_MS = 75;
const BUSY = 0x80;
const CALIBRATED = 0x08;

/** AHT20, and with another initialization and no CRC the AHT10. It measures only once it is initialized. */
export const aht20Chip = (world: World): SimulatedChip => ahtChip(world, 0xbe, true);
export const aht10Chip = (world: World): SimulatedChip => ahtChip(world, 0xe1, false);

function ahtChip(world: World, initialization: number, hasCrc: boolean): SimulatedChip {
  let calibrated = 0;
  let readyMs = Number.NEGATIVE_INFINITY;
  let data = [0, 0, 0, 0, 0];
  const measured = () => {
    const humidity = coded((world.humidityPercent() / 100) * 2 ** 20, 0, 2 ** 20 - 1);
    const temperature = coded(((world.temperatureC() + 50) / 200) * 2 ** 20, 0, 2 ** 20 - 1);
    const shared = ((humidity & 0xf) << 4) | (temperature >> 16);
    return [humidity >> 12, (humidity >> 4) & 0xff, shared, (temperature >> 8) & 0xff, temperature & 0xff];
  };
  return {
    write([command = 0, ...rest]) {
      if (world.monoMs() < readyMs) throw nack();
      if (command === initialization && rest[0] === 0x08) calibrated = CALIBRATED;
      else if (command !== 0xac || rest[0] !== 0x33) throw nack();
      else if (calibrated !== 0) data = measured();
      readyMs = world.monoMs() + (command === 0xac ? MEASUREMENT_MS : 5);
    },
    read(length) {
      const busy = world.monoMs() < readyMs ? BUSY : 0;
      const frame = [0x10 | busy | calibrated, ...data];
      if (hasCrc) frame.push(sensirionCrc(frame, 0xff));
      return Uint8Array.from({ length }, (_, index) => frame[index] ?? 0xff);
    },
  };
}
