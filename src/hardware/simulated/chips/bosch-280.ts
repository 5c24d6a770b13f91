import type { SimulatedChip, World } from "../chip.ts";

/**
 * BMP280 and BME280 at register level (BST-BMP280-DS001, BST-BME280-DS002), without the pauses of normal mode. Codes are found by bisection on the datasheet's integer formulas, so that a driver that computes in
 * floating point is checked against something else than itself.
 */

const ID = 0xd0;
const RESET = 0xe0;
const CTRL_HUM = 0xf2;
const STATUS = 0xf3;
const CTRL_MEAS = 0xf4;
const CONFIG = 0xf5;
const PRESSURE = 0xf7;
const TEMPERATURE = 0xfa;
const HUMIDITY = 0xfd;

const MODE = 0b11;
const NORMAL_MODE = 0b11;
const RESET_COMMAND = 0xb6;
const MEASURING = 0b1000;
const COPYING_TRIMMING = 0b0001;
/** BME280 §1.1, table 1: start-up time. */
const STARTUP_MS = 2;
const NO_DATA_20_BIT = 0x80000;
const NO_DATA_16_BIT = 0x8000;

export interface Bosch280 {
  readonly id: number;
  /** Register -> trimming bytes from there on. */
  readonly trimming: ReadonlyMap<number, readonly number[]>;
  temperatureCode(temperatureC: number): number;
  pressureCode(pressureHpa: number, temperatureC: number): number;
  /** Absent: the chip has no humidity. */
  humidityCode?(humidityPercent: number, temperatureC: number): number;
}

export function bosch280Chip(world: World, facts: Bosch280): SimulatedChip {
  const registers = new Uint8Array(256);
  let pointer = 0;
  let startedMs = Number.NEGATIVE_INFINITY;
  let doneMs = Number.POSITIVE_INFINITY;
  let latchedHum = 0;
  const filters = { temperature: iirFilter(), pressure: iirFilter() };

  const put20 = (at: number, code: number) => registers.set([code >> 12, (code >> 4) & 0xff, (code & 0xf) << 4], at);
  const put16 = (at: number, code: number) => registers.set([code >> 8, code & 0xff], at);

  const reset = () => {
    registers.fill(0);
    registers[ID] = facts.id;
    for (const [at, bytes] of facts.trimming) registers.set(bytes, at);
    put20(PRESSURE, NO_DATA_20_BIT);
    put20(TEMPERATURE, NO_DATA_20_BIT);
    if (facts.humidityCode) put16(HUMIDITY, NO_DATA_16_BIT);
    latchedHum = 0;
    filters.temperature.forget();
    filters.pressure.forget();
    doneMs = Number.POSITIVE_INFINITY;
    startedMs = world.monoMs();
  };

  const samples = () => {
    const ctrlMeas = registers[CTRL_MEAS] ?? 0;
    return { t: averaged(ctrlMeas >> 5), p: averaged((ctrlMeas >> 2) & 7), h: averaged(latchedHum) };
  };

  const isNormal = () => ((registers[CTRL_MEAS] ?? 0) & MODE) === NORMAL_MODE;

  /** The typical duration (BME280 §9.1): the driver must wait for the longest. */
  const measurementMs = () => {
    const { t, p, h } = samples();
    return 1 + 2 * t + (p && 2 * p + 0.5) + (h && 2 * h + 0.5);
  };

  const finish = () => {
    const { t, p, h } = samples();
    const temperatureC = world.temperatureC();
    const setting = Math.min(((registers[CONFIG] ?? 0) >> 2) & 7, 4);
    const temperature = () => filters.temperature.pass(setting, facts.temperatureCode(temperatureC));
    const pressure = () => filters.pressure.pass(setting, facts.pressureCode(world.pressureHpa(), temperatureC));
    put20(TEMPERATURE, t ? temperature() : NO_DATA_20_BIT);
    put20(PRESSURE, p ? pressure() : NO_DATA_20_BIT);
    const humidity = facts.humidityCode?.(world.humidityPercent(), temperatureC);
    if (humidity !== undefined) put16(HUMIDITY, h ? humidity : NO_DATA_16_BIT);
    if (isNormal()) {
      doneMs = world.monoMs() + measurementMs();
      return;
    }
    registers[CTRL_MEAS] = (registers[CTRL_MEAS] ?? 0) & ~MODE;
    doneMs = Number.POSITIVE_INFINITY;
  };

  const update = () => {
    if (world.monoMs() >= doneMs) finish();
    const copying = world.monoMs() < startedMs + STARTUP_MS ? COPYING_TRIMMING : 0;
    registers[STATUS] = copying | (Number.isFinite(doneMs) ? MEASURING : 0);
  };

  const writeRegister = (register: number, value: number) => {
    if (register === RESET && value === RESET_COMMAND) reset();
    // In normal mode `config` need not be taken (BME280 §5.4.6).
    if (register === CONFIG && isNormal()) return;
    if (register === CONFIG || (register === CTRL_HUM && facts.humidityCode)) registers[register] = value;
    if (register === CONFIG) {
      filters.temperature.forget();
      filters.pressure.forget();
    }
    if (register !== CTRL_MEAS) return;
    registers[CTRL_MEAS] = value;
    latchedHum = (registers[CTRL_HUM] ?? 0) & 7;
    if ((value & MODE) !== 0) doneMs = world.monoMs() + measurementMs();
  };

  reset();
  return {
    // Writes are pairs of register and value (BME280 §6.2.1); a register alone sets where the next read starts.
    write(bytes) {
      update();
      for (let at = 0; at + 1 < bytes.length; at += 2) writeRegister(bytes[at] ?? 0, bytes[at + 1] ?? 0);
      pointer = bytes[bytes.length % 2 === 0 ? bytes.length - 2 : bytes.length - 1] ?? 0;
    },
    read(length) {
      update();
      return Uint8Array.from({ length }, () => registers[pointer++ & 0xff] ?? 0);
    },
  };
}

/**
 * The filter in Bosch's chips: each value is the mean of its memory, counted 2^setting - 1 times, and what was measured.
 * Whenever its register is written it forgets, and the next value passes unchanged (BMP280 §3.3.3, BME280 §3.4.4).
 */
export function iirFilter() {
  let memory: number | undefined;
  return {
    forget(): void {
      memory = undefined;
    },
    pass(setting: number, code: number): number {
      memory = memory === undefined ? code : memory + (code - memory) / 2 ** setting;
      return Math.round(memory);
    },
  };
}

function averaged(code: number): number {
  return code === 0 ? 0 : 2 ** Math.min(code - 1, 4);
}

/** The code whose value, by a formula that rises or falls with it, is nearest to the wanted one. */
export function bisect(bits: number, rising: boolean, wanted: number, reached: (code: number) => number): number {
  let low = 0;
  let high = 2 ** bits - 1;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (reached(middle) < wanted === rising) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** 16-bit words, little-endian; negative ones in two's complement. */
export function littleEndian(words: readonly number[]): number[] {
  return words.flatMap((word) => [word & 0xff, (word >> 8) & 0xff]);
}
