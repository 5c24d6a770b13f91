// Serves the slaves of /dev/i2c-1 from /run/vi2c.json, which is re-read whenever it changes:
//   {"76": {"regs": {"d0": "60", "f7": "65..."}},   byte-addressed, auto-incrementing registers
//    "48": {"regs": {"00": "1900"}, "wide": true},  each register its own width (TMP102, LM75, ADS1115, INA219)
//    "44": {"cmds": {"2400": "6666a26666a2", "*": "..."}}}  longest write prefix (hex) -> bytes the next read returns
// A value may be a list: each read takes the next entry, the last one stays.
// Faults, per device: "nak": true, "hang": true (ETIMEDOUT), "delayMs": n, "failEvery": n, "err": errno

import fs from "node:fs";

const modelPath = "/run/vi2c.json";
const EREMOTEIO = 121; // what the Pi's controller returns for a NACK
const port = fs.openSync("/dev/vi2c", "r+");

let model = {};
let stamp;
/** Address -> what its registers were written to, its pointer, its last command. */
let chips = {};

function reload() {
  const now = stampOf(modelPath);
  if (now === stamp) return;
  try {
    model = now === "none" ? {} : JSON.parse(fs.readFileSync(modelPath, "utf8"));
    stamp = now;
    chips = {};
  } catch (error) {
    console.error(String(error));
  }
}

function stampOf(path) {
  const stat = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.mtimeNs}/${stat.ino}` : "none";
}

function chipAt(address) {
  chips[address] ??= { pointer: 0, transfers: 0, command: "", written: {} };
  return chips[address];
}

const key = (register) => (register & 255).toString(16).padStart(2, "0");

function next(table, name) {
  const value = table[name];
  if (!Array.isArray(value)) return value;
  return value.length > 1 ? value.shift() : value[0];
}

function write(device, chip, hex) {
  if (device.cmds) {
    chip.command = hex;
    return;
  }
  if (!hex) return;
  chip.pointer = Number.parseInt(hex.slice(0, 2), 16);
  const data = hex.slice(2);
  if (!data) return;
  if (device.wide) chip.written[key(chip.pointer)] = data;
  else for (let i = 0; i < data.length; i += 2) chip.written[key(chip.pointer + i / 2)] = data.slice(i, i + 2);
}

/** Hex of `length` bytes; undefined is a NACK, as of a sensor that is still measuring. */
function read(device, chip, length) {
  let hex;
  if (device.cmds) hex = readCommand(device, chip);
  else if (device.wide) hex = chip.written[key(chip.pointer)] ?? next(device.regs, key(chip.pointer)) ?? "";
  else hex = readRegisters(device, chip, length);
  return hex?.slice(0, length * 2).padEnd(length * 2, "f");
}

function readCommand(device, chip) {
  const prefixes = Object.keys(device.cmds).filter((prefix) => chip.command.startsWith(prefix));
  prefixes.sort((a, b) => b.length - a.length);
  return next(device.cmds, prefixes[0] ?? "*") ?? undefined;
}

function readRegisters(device, chip, length) {
  const bytes = {};
  for (const [name, value] of Object.entries(device.regs)) {
    const start = Number.parseInt(name, 16);
    const hex = Array.isArray(value) ? value[0] : value;
    if (start === chip.pointer) next(device.regs, name);
    for (let i = 0; i < hex.length; i += 2) bytes[key(start + i / 2)] = hex.slice(i, i + 2);
  }
  Object.assign(bytes, chip.written);
  let out = "";
  for (let i = 0; i < length; i++) out += bytes[key(chip.pointer + i)] ?? "00";
  return out;
}

/** One request line of the adapter (guest/modules/vi2c.c); undefined leaves it without an answer. */
function answerTo(operations) {
  let out = "";
  let delayMs = 0;
  for (const operation of operations) {
    const [, address, direction, operand] = /^(..)([rw])=(.*)$/.exec(operation);
    const device = model[address];
    if (!device || device.nak) return { answer: `err ${EREMOTEIO}`, delayMs };
    if (device.hang) return undefined;
    const chip = chipAt(address);
    delayMs = Math.max(delayMs, device.delayMs ?? 0);
    const fails = device.failEvery && ++chip.transfers % device.failEvery === 0;
    if (device.err || fails) return { answer: `err ${device.err ?? EREMOTEIO}`, delayMs };
    if (direction === "w") write(device, chip, operand);
    else {
      const hex = read(device, chip, Number(operand));
      if (hex === undefined) return { answer: `err ${EREMOTEIO}`, delayMs };
      out += hex;
    }
  }
  return { answer: `ok ${out}`, delayMs };
}

function serve(line) {
  const [sequence, ...operations] = line.split(" ");
  reload();
  const result = answerTo(operations);
  if (!result) return;
  const send = () => fs.writeSync(port, `${sequence} ${result.answer}\n`);
  if (result.delayMs) setTimeout(send, result.delayMs);
  else send();
}

let text = "";
const buffer = Buffer.alloc(32768);
(function listen() {
  fs.read(port, buffer, 0, buffer.length, null, (error, length) => {
    if (error) throw error;
    text += buffer.toString("latin1", 0, length);
    const lines = text.split("\n");
    text = lines.pop();
    for (const line of lines) serve(line);
    listen();
  });
})();
