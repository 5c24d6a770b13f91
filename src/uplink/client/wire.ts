import { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Publication } from "../link.ts";
import { PubackFilter } from "./puback-filter.ts";
import { type PublishLayout, writePublish } from "./publish-packet.ts";

const PIECE_BYTES = 32 * 1024;
/** While as much is under way as keeps a broker busy for a while, what is less than this may wait for more. */
const GATHERED_BYTES = 4096;
const BUSY_MESSAGES = 50;
const GATHER_MS = 1;

/**
 * The stream below mqtt.js, and a way past it for what there is most of. What is sent in one turn of the event loop leaves
 * as one piece: mqtt.js writes a packet in half a dozen, and the system call for each turn was most of a drain's work.
 * Readings are encoded right into it, and their acknowledgements taken out before mqtt.js sees them.
 */
export class Wire extends Duplex {
  /** Hears of each PUBACK; false for those of mqtt.js. */
  onPuback: (packetId: number, reasonCode: number) => boolean = () => false;
  /** How many messages wait for theirs. */
  underWay: () => number = () => 0;
  readonly #socket: Duplex;
  readonly #filter: PubackFilter;
  #piece = Buffer.alloc(0);
  /** What is before it has left. */
  #from = 0;
  #to = 0;
  #isFlushDue = false;
  #gathering: NodeJS.Timeout | undefined;
  /** The socket asks us to wait. */
  #isFull = false;
  #written: (() => void) | undefined;
  #isAtEnd = false;

  constructor(socket: Duplex) {
    super({ allowHalfOpen: false });
    this.#socket = socket;
    // What belongs together leaves together anyway, and need not wait for the acknowledgement of what went before.
    if (socket instanceof Socket) socket.setNoDelay(true);
    this.#filter = new PubackFilter({
      acknowledged: (packetId, code) => this.onPuback(packetId, code),
      rest: (bytes) => {
        if (!this.#isAtEnd && !this.push(bytes)) socket.pause();
      },
    });
    socket.on("data", (chunk: Buffer) => this.#filter.feed(chunk));
    socket.once("end", () => this.#end());
    socket.once("close", () => this.#end());
    socket.on("error", (error) => this.destroy(error));
    socket.on("drain", () => this.#drained());
  }

  publish(layout: PublishLayout, message: Publication, retain: boolean, packetId: number): void {
    const at = this.#room(layout.whole);
    writePublish(this.#piece, at, layout, message, retain, packetId);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    const at = this.#room(chunk.length);
    chunk.copy(this.#piece, at);
    if (this.#isFull) this.#written = done;
    else done();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _final(done: () => void): void {
    this.#flush();
    this.#socket.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#isAtEnd = true;
    clearTimeout(this.#gathering);
    this.#socket.destroy();
    done(error);
  }

  /** Room for so many bytes in the piece, which leaves at the end of this turn. Returns where. */
  #room(bytes: number): number {
    if (this.#piece.length - this.#to < bytes) {
      this.#flush();
      this.#piece = Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, bytes));
      this.#from = 0;
      this.#to = 0;
    }
    if (!this.#isFlushDue) {
      this.#isFlushDue = true;
      setImmediate(() => this.#turnIsOver());
    }
    const at = this.#to;
    this.#to += bytes;
    return at;
  }

  #turnIsOver(): void {
    this.#isFlushDue = false;
    const isPlenty = this.#to - this.#from >= GATHERED_BYTES || this.underWay() < BUSY_MESSAGES;
    if (isPlenty) this.#flush();
    else this.#gathering ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;

    if (this.#to === this.#from || !this.#socket.writable) return;
    this.#isFull = !this.#socket.write(this.#piece.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }

  #drained(): void {
    this.#isFull = false;
    const written = this.#written;
    this.#written = undefined;
    written?.();
  }

  /** Whatever came before the end is still read; then it closes by itself. */
  #end(): void {
    if (this.#isAtEnd) return;
    this.#isAtEnd = true;
    this.push(null);
  }
}
