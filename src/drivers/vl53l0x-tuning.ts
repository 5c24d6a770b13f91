/**
 * What ST's VL53L0X API writes, in its order: the chip has no published register map. The tuning settings are those of the
 * API, as Pololu's and Adafruit's drivers have them.
 *
 * Copyright © 2016, STMicroelectronics International N.V. All rights reserved. BSD 3-clause: redistribution and use in
 * source and binary forms, with or without modification, are permitted provided that this notice, the list of conditions
 * and the disclaimer of that licence are retained, and that neither the name of STMicroelectronics nor the names of its
 * contributors are used to endorse or promote products without permission. THIS SOFTWARE IS PROVIDED "AS IS", without any
 * express or implied warranty; in no event shall the copyright holder or contributors be liable for any damages.
 */

/** Register and value. Register 0xFF chooses the page of what follows. */
export type Pairs = readonly (readonly [register: number, value: number])[];

/** Standard mode of I2C, and the way to the stop variable. */
export const UNLOCK: Pairs = pairs("88 00, 80 01, FF 01, 00 00");
export const BEGIN_SPAD_INFO: Pairs = pairs("80 01, FF 01, 00 00, FF 06");
export const REQUEST_SPAD_INFO: Pairs = pairs("FF 07, 81 01, 80 01, 94 6B, 83 00");
export const END_SPAD_INFO: Pairs = pairs("FF 01, 00 01, FF 00, 80 00");
export const PREPARE_SPADS: Pairs = pairs("FF 01, 4F 00, 4E 2C, FF 00, B6 B4");
export const SINGLE_SHOT_BEFORE_STOP_VARIABLE: Pairs = pairs("80 01, FF 01, 00 00");
export const SINGLE_SHOT_AFTER_STOP_VARIABLE: Pairs = pairs("00 01, FF 00, 80 00");

export const TUNING: Pairs = pairs(
  `FF 01, 00 00, FF 00, 09 00, 10 00, 11 00, 24 01, 25 FF, 75 00, FF 01, 4E 2C, 48 00, 30 20, FF 00, 30 09, 54 00,
   31 04, 32 03, 40 83, 46 25, 60 00, 27 00, 50 06, 51 00, 52 96, 56 08, 57 30, 61 00, 62 00, 64 00, 65 00, 66 A0,
   FF 01, 22 32, 47 14, 49 FF, 4A 00, FF 00, 7A 0A, 7B 00, 78 21, FF 01, 23 34, 42 00, 44 FF, 45 26, 46 05, 40 40,
   0E 06, 20 1A, 43 40, FF 00, 34 03, 35 44, FF 01, 31 04, 4B 09, 4C 05, 4D 04, FF 00, 44 00, 45 20, 47 08, 48 28,
   67 00, 70 04, 71 01, 72 FE, 76 00, 77 00, FF 01, 0D 01, FF 00, 80 01, 01 F8, FF 01, 8E 01, 00 01, FF 00, 80 00`,
);

function pairs(hex: string): Pairs {
  return hex.split(",").map((pair) => {
    const [register = "", value = ""] = pair.trim().split(" ");
    return [Number.parseInt(register, 16), Number.parseInt(value, 16)];
  });
}
