import { compacted } from "./compact.ts";

/** Changes that were not handed on yet, a piece a turn. */
export class Chunks {
  bytes = 0;
  #chunks: Buffer[] = [];
  /** When they are to be compacted. */
  #compactBytes = compactBytes;

  get length(): number {
    return this.#chunks.length;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.bytes += chunk.length;
  }

  /** All of them; none is left. */
  take(): Buffer {
    const taken = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.clear();
    return taken;
  }

  clear(): void {
    this.#chunks = [];
    this.bytes = 0;
    this.#compactBytes = compactBytes;
  }

  /** While the disk refuses them, or stands still, what is retained at QoS 0 goes on changing. Returns what they became, if they did. */
  compactIfDue(): Buffer | undefined {
    if (this.bytes <= this.#compactBytes) return undefined;
    const chunk = compacted(this.#chunks);
    this.#chunks = [chunk];
    this.bytes = chunk.length;
    this.#compactBytes = Math.max(compactBytes, 2 * chunk.length);
    return chunk;
  }
}

/** Below what congests: so much may wait because much is to be kept, or because little was changed often. */
const compactBytes = 8 * 1024 * 1024;
