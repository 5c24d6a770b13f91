import type { SimulatedChip, World } from "../chip.ts";
import {
  type IntegerCalibration680,
  integerFine680,
  integerHumidity680,
  integerPressure680,
  integerTemperature680,
} from "./bme680-integer.ts";
import { bisect, iirFilter, littleEndian } from "./bosch-280.ts";
import { byteRegisterChip } from "./registers.ts";

/** Those of a chip out of the wild, as published with Pimoroni's bme680-python. */
const CALIBRATION: IntegerCalibration680 = {
  T: [26041, 26469, 3],
  P: [36673, -10515, 88, 7310, -129, 30, 46, -3177, -2379, 30],
  H: [676, 1029, 0, 45, 20, 120, -100],
};
const GAS = { G1: -30, G2: -24754, G3: 18, heatRange: 1, heatValue: 48 };

const FIELD = 0x1d;
const CTRL_GAS_1 = 0x71;
const CTRL_HUM = 0x72;
const CTRL_MEAS = 0x74;
const CONFIG = 0x75;
const RUN_GAS = 0x10;
const GAS_WAIT = 0x64;
const ID = 0xd0;
const RESET = 0xe0;
const NEW_DATA = 0x80;
const MEASURING = 0x20;

/** BME680 at register level (BST-BME680-DS001): forced mode with one heater step. */
export function bme680Chip(world: World): SimulatedChip {
  const registers = new Uint8Array(256);
  let doneMs = Number.POSITIVE_INFINITY;
  const filters = { temperature: iirFilter(), pressure: iirFilter() };
  const forget = () => {
    filters.temperature.forget();
    filters.pressure.forget();
  };

  const reset = () => {
    forget();
    registers.fill(0);
    registers[ID] = 0x61;
    for (const [at, bytes] of calibrationBytes()) registers.set(bytes, at);
    registers.set([0x80, 0, 0, 0x80, 0, 0, 0x80, 0], FIELD + 2);
    doneMs = Number.POSITIVE_INFINITY;
  };

  const finish = () => {
    const setting = ((registers[CONFIG] ?? 0) >> 2) & 7;
    const temperature = filters.temperature.pass(
      setting,
      bisect(20, true, world.temperatureC() * 100, (code) => integerTemperature680(code, CALIBRATION)),
    );
    const fine = integerFine680(temperature, CALIBRATION);
    const pressure = filters.pressure.pass(
      setting,
      bisect(20, false, world.pressureHpa() * 100, (code) => integerPressure680(code, fine, CALIBRATION)),
    );
    const humidity = bisect(16, true, world.humidityPercent() * 1000, (code) =>
      integerHumidity680(code, fine, CALIBRATION),
    );
    const isGas = ((registers[CTRL_GAS_1] ?? 0) & RUN_GAS) !== 0;
    // The heater gets to its temperature only if it is given time (§5.3.3.3).
    const isStable = isGas && heaterMs() >= 10;
    const code = Math.min(1023, 512 + Math.round(world.tvocPpb()));
    const status = isGas ? 0x20 | (isStable ? 0x10 : 0) | 5 : 0;
    registers.set([NEW_DATA, 0, ...code20(pressure), ...code20(temperature), humidity >> 8, humidity & 0xff], FIELD);
    registers.set([code >> 2, ((code & 3) << 6) | status], FIELD + 13);
    registers[CTRL_MEAS] = (registers[CTRL_MEAS] ?? 0) & ~0b11;
    doneMs = Number.POSITIVE_INFINITY;
  };

  const heaterMs = () => {
    const wait = registers[GAS_WAIT] ?? 0;
    return (wait & 0x3f) * 4 ** (wait >> 6);
  };

  const samples = (code: number) => (code === 0 ? 0 : 2 ** Math.min(code - 1, 4));

  reset();
  return byteRegisterChip({
    registers,
    update() {
      if (world.monoMs() >= doneMs) finish();
    },
    write(register, value) {
      if (register === RESET && value === 0xb6) return reset();
      if (register < 0x5a || (register >= 0x76 && register <= 0xd0)) return;
      registers[register] = value;
      if (register === CONFIG) forget();
      if (register !== CTRL_MEAS || (value & 0b11) !== 0b01) return;
      const averaged = samples(value >> 5) + samples((value >> 2) & 7) + samples((registers[CTRL_HUM] ?? 0) & 7);
      const isGas = ((registers[CTRL_GAS_1] ?? 0) & RUN_GAS) !== 0;
      registers[FIELD] = MEASURING;
      doneMs = world.monoMs() + averaged * 1.963 + 4.3 + (isGas ? heaterMs() : 0);
    },
  });
}

function code20(code: number): number[] {
  return [code >> 12, (code >> 4) & 0xff, (code & 0xf) << 4];
}

/** §3.11.1: 0x8A on, 0xE1 on and 0x00 on. */
function calibrationBytes(): ReadonlyMap<number, number[]> {
  const [T1, T2, T3] = CALIBRATION.T;
  const [P1, P2, P3, P4, P5, P6, P7, P8, P9, P10] = CALIBRATION.P;
  const [H1, H2, H3, H4, H5, H6, H7] = CALIBRATION.H;
  const { G1, G2, G3, heatRange, heatValue } = GAS;
  const words = littleEndian;
  const byte = (value: number) => value & 0xff;
  return new Map([
    [0x8a, [...words([T2]), byte(T3), 0, ...words([P1, P2]), byte(P3), 0, ...words([P4, P5]), byte(P7), byte(P6)]],
    [0x9c, [...words([P8, P9]), byte(P10)]],
    [0xe1, [H2 >> 4, ((H2 & 0xf) << 4) | (H1 & 0xf), H1 >> 4, H3, H4, H5, H6, H7].map(byte)],
    [0xe9, [...words([T1, G2]), byte(G1), byte(G3)]],
    [0x00, [heatValue, 0, heatRange << 4, 0, 0]],
  ]);
}
