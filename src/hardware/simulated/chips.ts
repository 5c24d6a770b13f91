import type { SimulatedChipFactory } from "./chip.ts";
import { sht4xChip } from "./chips/sht4x.ts";

/** Driver name -> the chip that answers it on a simulated bus. */
export const simulatedChips: Readonly<Record<string, SimulatedChipFactory>> = {
  sht4x: sht4xChip,
};
