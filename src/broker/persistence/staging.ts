import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoName } from "../../core/errors.ts";
import { writeWhole } from "../../sqlite/files.ts";
import { FRAME_HEAD_BYTES, framePayloads, sealFrame } from "../../sqlite/frames.ts";

/**
 * Changes on tmpfs, so that they outlive the process until the disk has them: a file a generation, each with the database's
 * instance in its first frame and the changes of one turn in each that follows. A generation goes once the disk has it.
 */
export class Staging {
  readonly #directory: string;
  readonly #instance: string;
  #fd: number | undefined;
  #generation: number;
  #oldest: number;
  /** Of all generations. */
  bytes = 0;
  readonly #sizes = new Map<number, number>();

  constructor(directory: string, instance: string, generation: number) {
    this.#directory = directory;
    this.#instance = instance;
    this.#generation = generation;
    this.#oldest = generation;
    mkdirSync(directory, { recursive: true, mode: 0o750 });
  }

  /** It has happened when this returns. Throws what the file system says; what is there may then lack this turn. */
  append(changes: Buffer): void {
    this.#fd ??= this.#begin();
    this.#write(this.#fd, changes);
  }

  /** What follows belongs to this generation. */
  next(generation: number): void {
    this.close();
    this.#generation = generation;
  }

  /** The disk has everything up to this generation. */
  forget(generation: number): void {
    for (; this.#oldest <= generation; this.#oldest++) {
      this.bytes -= this.#sizes.get(this.#oldest) ?? 0;
      if (this.#sizes.delete(this.#oldest)) rmSync(this.#pathOf(this.#oldest), { force: true });
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #begin(): number {
    const fd = openSync(this.#pathOf(this.#generation), "w", 0o640);
    this.#sizes.set(this.#generation, 0);
    this.#write(fd, Buffer.from(this.#instance));
    return fd;
  }

  #write(fd: number, payload: Buffer): void {
    const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payload.length);
    payload.copy(frame, FRAME_HEAD_BYTES);
    writeWhole(fd, sealFrame(frame));
    this.bytes += frame.length;
    this.#sizes.set(this.#generation, (this.#sizes.get(this.#generation) ?? 0) + frame.length);
  }

  #pathOf(generation: number): string {
    return join(this.#directory, `${generation}${suffix}`);
  }
}

const suffix = ".changes";

export interface StagedGeneration {
  readonly generation: number;
  readonly instance: string;
  readonly changes: readonly Buffer[];
}

/** What a process that is gone left, in order; a torn end is left out. */
export function readStaging(directory: string): StagedGeneration[] {
  return generationsIn(directory).flatMap((generation) => {
    const [instance, ...changes] = framePayloads(readFileSync(join(directory, `${generation}${suffix}`)));
    return instance === undefined ? [] : [{ generation, instance: instance.toString(), changes }];
  });
}

export function removeStaging(directory: string): void {
  for (const generation of generationsIn(directory)) rmSync(join(directory, `${generation}${suffix}`));
}

function generationsIn(directory: string): number[] {
  let names: string[];
  try {
    names = readdirSync(directory);
  } catch (error) {
    if (errnoName(error) === "ENOENT") return [];
    throw error;
  }
  const generations = names
    .filter((name) => name.endsWith(suffix))
    .map((name) => Number(name.slice(0, -suffix.length)));
  return generations.sort((a, b) => a - b);
}
