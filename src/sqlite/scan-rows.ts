import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { PAGE_BYTES } from "./page.ts";

/** A row as a leaf of a table has it; the first column of an `INTEGER PRIMARY KEY` table is null there, its value the rowid. */
export interface ScannedRow {
  readonly rowid: number;
  readonly values: readonly (number | string | Buffer | null)[];
}

/** SQLite file format 1.6: a leaf of a table b-tree. */
const LEAF = 0x0d;
/** Ditto 4.1 and 4.2. */
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
/** Ditto 1.6: how much of a payload is on the leaf itself, pages being wholly usable. */
const MAX_LOCAL_BYTES = PAGE_BYTES - 35;
const MIN_LOCAL_BYTES = Math.floor(((PAGE_BYTES - 12) * 32) / 255) - 23;
/** More than any of our rows has. */
const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

/**
 * All rows of `columns` columns that can be made out in a database that SQLite does not open any more: each page is taken
 * for itself, in the file and in its WAL, so no header and no tree is needed. The newest version of a row comes first.
 * Deleted, outdated and damaged ones are among them: the caller knows its own by a checksum.
 */
export function* scanRows(path: string, columns: number): Generator<ScannedRow> {
  using file = new PageFile(path, 0, 0);
  using wal = new PageFile(`${path}-wal`, WAL_HEADER_BYTES, FRAME_HEADER_BYTES);
  const newest = new Map<number, number>();
  const [current, stale] = [[] as number[], [] as number[]];
  for (let frame = 0; frame < wal.pages; frame++) {
    const head = wal.frameHead(frame);
    if (!head.subarray(8, 16).equals(wal.salts)) {
      stale.unshift(frame);
      continue;
    }
    current.unshift(frame);
    newest.set(head.readUInt32BE(0), frame);
  }
  const sources: PageSource[] = [
    (number) => {
      const frame = newest.get(number);
      return frame === undefined ? file.page(number - 1) : wal.page(frame);
    },
    (number) => file.page(number - 1),
  ];
  for (const frame of current) yield* rowsOf(wal.page(frame), columns, sources);
  for (let page = 0; page < file.pages; page++) yield* rowsOf(file.page(page), columns, sources);
  // Of before the WAL began anew: in the file by now, unless that page of it is damaged.
  for (const frame of stale) yield* rowsOf(wal.page(frame), columns, sources);
}

/** A page by its number, from 1. */
type PageSource = (number: number) => Buffer | undefined;

class PageFile implements Disposable {
  readonly pages: number;
  readonly #fd: number | undefined;
  readonly #start: number;
  readonly #head: number;

  constructor(path: string, start: number, head: number) {
    this.#fd = existsSync(path) ? openSync(path, "r") : undefined;
    this.#start = start;
    this.#head = head;
    const bytes = this.#fd === undefined ? 0 : fstatSync(this.#fd).size;
    this.pages = Math.max(0, Math.floor((bytes - start) / (head + PAGE_BYTES)));
  }

  /** Which frames belong to the WAL as it is; unknown where its header is gone. */
  get salts(): Buffer {
    return this.#read(16, 8) ?? Buffer.alloc(8);
  }

  frameHead(index: number): Buffer {
    return this.#read(this.#start + index * (this.#head + PAGE_BYTES), this.#head) ?? Buffer.alloc(this.#head);
  }

  page(index: number): Buffer | undefined {
    if (index < 0 || index >= this.pages) return undefined;
    return this.#read(this.#start + index * (this.#head + PAGE_BYTES) + this.#head, PAGE_BYTES);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }

  /** A bad sector costs the page that it is in. */
  #read(position: number, bytes: number): Buffer | undefined {
    const buffer = Buffer.alloc(bytes);
    try {
      return this.#fd !== undefined && readSync(this.#fd, buffer, 0, bytes, position) === bytes ? buffer : undefined;
    } catch {
      return undefined;
    }
  }
}

function* rowsOf(page: Buffer | undefined, columns: number, sources: readonly PageSource[]): Generator<ScannedRow> {
  if (page?.[0] !== LEAF) return;
  const cells = page.readUInt16BE(3);
  for (let cell = 0; cell < cells && 10 + 2 * cell <= PAGE_BYTES; cell++) {
    const at = page.readUInt16BE(8 + 2 * cell);
    for (const source of sources) {
      const row = rowAt(page, at, columns, source);
      if (row) yield row;
      if (row && !row.spills) break;
    }
  }
}

function rowAt(
  page: Buffer,
  at: number,
  columns: number,
  source: PageSource,
): (ScannedRow & { readonly spills: boolean }) | undefined {
  try {
    const cursor = new Cursor(page, at);
    const bytes = cursor.varint();
    const rowid = cursor.varint();
    if (bytes > MAX_PAYLOAD_BYTES) return undefined;
    const local = localBytes(bytes);
    const first = page.subarray(cursor.at, cursor.at + local);
    const spills = local < bytes;
    const payload = spills ? withOverflow(first, page.readUInt32BE(cursor.at + local), bytes, source) : first;
    if (payload?.length !== bytes) return undefined;
    const values = columnsOf(payload, columns);
    return values && { rowid, values, spills };
  } catch (error) {
    // A length or an offset that points out of the page.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function localBytes(bytes: number): number {
  if (bytes <= MAX_LOCAL_BYTES) return bytes;
  const local = MIN_LOCAL_BYTES + ((bytes - MIN_LOCAL_BYTES) % (PAGE_BYTES - 4));
  return local <= MAX_LOCAL_BYTES ? local : MIN_LOCAL_BYTES;
}

function withOverflow(first: Buffer, next: number, bytes: number, source: PageSource): Buffer | undefined {
  const parts = [first];
  let left = bytes - first.length;
  for (let number = next; left > 0; ) {
    const page = source(number);
    if (!page) return undefined;
    parts.push(page.subarray(4, 4 + Math.min(left, PAGE_BYTES - 4)));
    left -= PAGE_BYTES - 4;
    number = page.readUInt32BE(0);
  }
  return Buffer.concat(parts);
}

/** SQLite file format 2.1: the serial types, then the values. */
function columnsOf(payload: Buffer, columns: number): ScannedRow["values"] | undefined {
  const head = new Cursor(payload, 0);
  const headBytes = head.varint();
  const types: number[] = [];
  while (head.at < headBytes && types.length <= columns) types.push(head.varint());
  if (types.length !== columns || head.at !== headBytes) return undefined;
  let at = headBytes;
  return types.map((type) => {
    const start = at;
    at += sizeOfType(type);
    if (at > payload.length) throw new RangeError("a value beyond the end of its row");
    return decoded(type, payload.subarray(start, at));
  });
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];

function sizeOfType(type: number): number {
  return INTEGER_BYTES[type] ?? Math.floor((type - 12) / 2);
}

function decoded(type: number, bytes: Buffer): number | string | Buffer | null {
  if (type === 0) return null;
  if (type === 7) return bytes.readDoubleBE(0);
  if (type === 8 || type === 9) return type - 8;
  if (type === 6) return Number(bytes.readBigInt64BE(0));
  if (type < 6) return bytes.readIntBE(0, bytes.length);
  return type % 2 === 0 ? bytes : bytes.toString("utf8");
}

class Cursor {
  readonly #bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  /** SQLite file format 1.6: big-endian, seven bits a byte, eight in the ninth. */
  varint(): number {
    let value = 0;
    for (let n = 0; n < 9; n++) {
      const byte = this.#bytes.readUInt8(this.at++);
      if (n === 8) return value * 256 + byte;
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    return value;
  }
}
