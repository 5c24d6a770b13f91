import type { Level } from "../../gpio.ts";
import type { SimulatedChip } from "../chip.ts";

/** Register numbers with IOCON.BANK = 0, by port of eight (DS20001952C, table 3-1). */
const [IODIR, IPOL, GPINTEN, DEFVAL, INTCON, IOCON, GPPU, INTF, INTCAP, GPIO, OLAT] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
];
const COUNT = 11;
const BANK = 0x80;

/**
 * MCP23017 (two ports) and MCP23008: inputs at the level outside or, where there is none, at their pull-up; changes of watched
 * pins hold the interrupt and the first levels until they are read.
 */
export class Mcp230xxChip implements SimulatedChip {
  readonly #ports: 1 | 2;
  readonly #outside: (pin: number) => Level | undefined;
  #registers: number[][] = [];
  #seen: number[] = [];
  #pointer = 0;
  /** Called where the interrupt pin (low while one is held) changes. */
  onInterrupt: (level: Level) => void = () => undefined;
  #interrupt: Level = 1;

  constructor(ports: 1 | 2, outside: (pin: number) => Level | undefined) {
    this.#ports = ports;
    this.#outside = outside;
    this.reset();
  }

  /** Power-on (§1.5.3): all pins inputs, all else 0. */
  reset(): void {
    this.#registers = Array.from({ length: this.#ports }, () =>
      Array.from({ length: COUNT }, (_, register) => (register === IODIR ? 0xff : 0)),
    );
    this.#seen = this.#registers.map((_, port) => this.#levels(port));
    this.#showInterrupt();
  }

  /** What is at the pin: driven, outside, or pulled up. */
  level(pin: number): Level {
    const bit = 1 << (pin & 7);
    return (this.#levels(pin >> 3) & bit) === 0 ? 0 : 1;
  }

  isDriven(pin: number): boolean {
    return (this.#register(pin >> 3, IODIR) & (1 << (pin & 7))) === 0;
  }

  /** Something outside has moved. */
  moved(): void {
    for (let port = 0; port < this.#ports; port++) this.#notice(port);
    this.#showInterrupt();
  }

  write([pointer = 0, ...bytes]: Uint8Array): void {
    this.#pointer = pointer;
    for (const byte of bytes) {
      const [port, register] = this.#place();
      if (port !== undefined) this.#set(port, register, byte);
      this.#advance();
    }
    this.moved();
  }

  read(length: number): Uint8Array {
    this.moved();
    const bytes = Array.from({ length }, () => {
      const [port, register] = this.#place();
      const value = port === undefined ? 0 : this.#get(port, register);
      this.#advance();
      return value;
    });
    this.#showInterrupt();
    return Uint8Array.from(bytes);
  }

  /** BANK = 1 puts the ports' registers apart: those of the second begin at 0x10. */
  #place(): [port: number | undefined, register: number] {
    const isApart = this.#ports === 2 && (this.#register(0, IOCON) & BANK) !== 0;
    const port = isApart ? this.#pointer >> 4 : this.#pointer % this.#ports;
    const register = isApart ? this.#pointer & 0x0f : Math.floor(this.#pointer / this.#ports);
    return register < COUNT && port < this.#ports ? [port, register] : [undefined, register];
  }

  #advance(): void {
    this.#pointer = this.#pointer + 1 >= COUNT * this.#ports ? 0 : this.#pointer + 1;
  }

  #set(port: number, register: number, byte: number): void {
    if (register === INTF || register === INTCAP) return;
    // Both ports have one IOCON. Bit 0 is not implemented, and BANK not in the MCP23008.
    if (register === IOCON) for (const own of this.#registers) own[IOCON] = byte & (this.#ports === 2 ? 0xfe : 0x3e);
    else this.#own(port)[register === GPIO ? OLAT : register] = byte;
    if (register === IODIR || register === GPPU) this.#seen[port] = this.#levels(port);
  }

  #get(port: number, register: number): number {
    const own = this.#own(port);
    if (register === GPIO) {
      own[INTF] = 0;
      return this.#levels(port) ^ (own[IPOL] ?? 0);
    }
    const value = own[register] ?? 0;
    // Reading either lets go (§3.5.10); INTF itself does not.
    if (register === INTCAP) own[INTF] = 0;
    return value;
  }

  #notice(port: number): void {
    const own = this.#own(port);
    const levels = this.#levels(port);
    const before = this.#seen[port] ?? 0;
    const against = (own[INTCON] ?? 0) & (levels ^ (own[DEFVAL] ?? 0));
    const moved = (~(own[INTCON] ?? 0) & (levels ^ before)) | against;
    this.#seen[port] = levels;
    const noticed = moved & (own[GPINTEN] ?? 0) & (own[IODIR] ?? 0);
    if (noticed === 0 || own[INTF] !== 0) return;
    own[INTF] = noticed;
    own[INTCAP] = levels;
  }

  #levels(port: number): number {
    let levels = 0;
    for (let index = 0; index < 8; index++) {
      const isInput = (this.#register(port, IODIR) & (1 << index)) !== 0;
      const high = isInput ? this.#inputLevel(port, index) : (this.#register(port, OLAT) >> index) & 1;
      levels |= high << index;
    }
    return levels;
  }

  #inputLevel(port: number, index: number): number {
    return this.#outside(8 * port + index) ?? (this.#register(port, GPPU) >> index) & 1;
  }

  #showInterrupt(): void {
    const level = this.#registers.some((own) => own[INTF] !== 0) ? 0 : 1;
    if (level === this.#interrupt) return;
    this.#interrupt = level;
    this.onInterrupt(level);
  }

  #own(port: number): number[] {
    return this.#registers[port] ?? [];
  }

  #register(port: number, register: number): number {
    return this.#registers[port]?.[register] ?? 0;
  }
}
