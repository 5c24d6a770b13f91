import type { SimulatedChipFactory } from "./chip.ts";
import { bme280Chip } from "./chips/bme280.ts";
import { bmp280Chip } from "./chips/bmp280.ts";
import { sht3xChip } from "./chips/sht3x.ts";
import { sht4xChip } from "./chips/sht4x.ts";

/** Driver name -> the chip that answers it on a simulated bus. */
export const simulatedChips: Readonly<Record<string, SimulatedChipFactory>> = {
  bme280: bme280Chip,
  bmp280: bmp280Chip,
  sht3x: sht3xChip,
  sht4x: sht4xChip,
};
