import type { PromisifiedBus } from "i2c-bus";
import { type ErrorCode, GatewayError } from "../../core/errors.ts";
import { busName } from "../bus-name.ts";
import type { I2cBus, I2cTransfer } from "../i2c.ts";
import { type SerialQueue, serialQueue } from "../queue.ts";
import { hexAddress, type Step, stepsOf } from "../transfer.ts";
import { type SystemFault, systemFault } from "./errno.ts";

/** What we use of i2c-bus. */
export type I2cHandle = Pick<PromisifiedBus, "i2cRead" | "i2cWrite" | "readI2cBlock" | "i2cFuncs" | "close">;
export type OpenI2cHandle = (busNumber: number) => Promise<I2cHandle>;

/** A call on a dead bus takes a second: who comes later than this would be answered minutes late. */
const MAX_PENDING = 256;

/** Of the kernel's adapters: i2c-bcm2835 (Pi 0 to 4), i2c-designware (Pi 5), and i2c-dev above them. */
const codeOfFault: Readonly<Record<string, ErrorCode>> = {
  EREMOTEIO: "BUS_NACK",
  ENXIO: "BUS_NACK",
  ETIMEDOUT: "BUS_TIMEOUT",
  EAGAIN: "BUS_ARBITRATION",
  EBUSY: "BUS_BUSY",
  EIO: "BUS_IO",
  ENOENT: "BUS_MISSING",
  ENODEV: "BUS_MISSING",
  EACCES: "ACCESS_DENIED",
  EPERM: "ACCESS_DENIED",
  EOPNOTSUPP: "BUS_UNSUPPORTED",
};
/** After these the descriptor is as good as before: the address was claimed, and the transfer went wrong on the wires. */
const wireFaults: ReadonlySet<string> = new Set(["EREMOTEIO", "ENXIO", "ETIMEDOUT", "EAGAIN", "EIO"]);

const sentences: Partial<Record<ErrorCode, string>> = {
  BUS_NACK: "no answer at",
  BUS_TIMEOUT: "the bus gave up waiting for",
  BUS_ARBITRATION: "another controller interrupted the transfer to",
  BUS_BUSY: "a kernel driver owns",
  BUS_UNSUPPORTED: "the adapter cannot make this transfer to",
};

/**
 * Opens `1`, `i2c-1` or `/dev/i2c-1`. Throws BUS_MISSING or ACCESS_DENIED where that is already clear now.
 */
export async function openLinuxI2cBus(name: string, openHandle: OpenI2cHandle = openI2cHandle): Promise<I2cBus> {
  const [, number] = /^i2c-(\d+)$/.exec(busName(name)) ?? [];
  if (number === undefined) throw new GatewayError("BUS_MISSING", `${name} is not the name of an I2C bus`);
  const bus = new LinuxI2cBus(Number(number), openHandle);
  await bus.probe();
  return bus;
}

/** The addon is loaded at the first use: machines that have no bus, or not the addon, run everything else. */
async function openI2cHandle(busNumber: number): Promise<I2cHandle> {
  const { openPromisified } = await import("i2c-bus");
  return await openPromisified(busNumber);
}

class LinuxI2cBus implements I2cBus {
  readonly name: string;
  readonly #number: number;
  readonly #openHandle: OpenI2cHandle;
  readonly #queue: SerialQueue;
  #handle: I2cHandle | undefined;

  constructor(number: number, openHandle: OpenI2cHandle) {
    this.name = `i2c-${number}`;
    this.#number = number;
    this.#openHandle = openHandle;
    this.#queue = serialQueue(this.name, MAX_PENDING);
  }

  /** i2c-bus opens the device file only when it is used; asking what the adapter can do is a use without a transfer. */
  async probe(): Promise<void> {
    await this.#queue.run(() => this.#contained(undefined, async (handle) => void (await handle.i2cFuncs())));
  }

  transfer(transfers: readonly I2cTransfer[]): Promise<Uint8Array[]> {
    return this.#queue.run(async () => {
      const planned = transfers.map((transfer) => ({ address: transfer.address, steps: stepsOf(this.name, transfer) }));
      const answers: Uint8Array[] = [];
      for (const { address, steps } of planned) {
        let answer = new Uint8Array();
        for (const step of steps) answer = await this.#make(address, step);
        answers.push(answer);
      }
      return answers;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#queue[Symbol.asyncDispose]();
    await this.#drop();
  }

  async #make(address: number, step: Step): Promise<Uint8Array<ArrayBuffer>> {
    const { wanted, done, bytes } = await this.#contained(address, (handle) => perform(handle, address, step));
    if (done === wanted) return bytes;
    throw new GatewayError(
      "BUS_IO",
      `${done} of ${wanted} bytes came through at ${hexAddress(address)} on ${this.name}`,
    );
  }

  /**
   * i2c-bus keeps a descriptor before the claim of its address has succeeded, and would use it, with no address set, at
   * the next call: after any fault that is not one of the wires, its bus is thrown away.
   */
  async #contained<T>(address: number | undefined, use: (handle: I2cHandle) => Promise<T>): Promise<T> {
    try {
      this.#handle ??= await this.#openHandle(this.#number);
      return await use(this.#handle);
    } catch (cause) {
      const fault = systemFault(cause);
      const code = codeOf(fault);
      if (isClaim(fault) || !wireFaults.has(fault.name)) await this.#drop();
      throw new GatewayError(code, `${sentence(code, this.name, address)} (${fault.name})`, { cause });
    }
  }

  /** A bus of i2c-bus must not be used once `close` has begun: it would use numbers of closed descriptors. */
  async #drop(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    // A close that fails has nothing left to give back.
    await handle?.close().catch(() => undefined);
  }
}

interface Outcome {
  readonly wanted: number;
  readonly done: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

async function perform(handle: I2cHandle, address: number, step: Step): Promise<Outcome> {
  if (step.kind === "write") {
    const { length } = step.bytes;
    const { bytesWritten } = await handle.i2cWrite(address, length, Buffer.from(step.bytes));
    return { wanted: length, done: bytesWritten, bytes: new Uint8Array() };
  }
  const buffer = Buffer.alloc(step.length);
  const { bytesRead } =
    step.kind === "read"
      ? await handle.i2cRead(address, step.length, buffer)
      : await handle.readI2cBlock(address, step.register, step.length, buffer);
  return { wanted: step.length, done: bytesRead, bytes: Uint8Array.from(buffer) };
}

function isClaim({ syscall }: SystemFault): boolean {
  return syscall === "open" || syscall === "setAddr";
}

/** A device file without an adapter behind it answers its opening with ENXIO, which on the wires would be a NACK. */
function codeOf(fault: SystemFault): ErrorCode {
  if (fault.syscall === "open" && fault.name === "ENXIO") return "BUS_MISSING";
  return codeOfFault[fault.name] ?? "BUS_IO";
}

function sentence(code: ErrorCode, bus: string, address: number | undefined): string {
  if (code === "BUS_MISSING") return `there is no bus ${bus}`;
  if (code === "ACCESS_DENIED") return `no permission for /dev/${bus}`;
  const where = address === undefined ? bus : `${hexAddress(address)} on ${bus}`;
  return `${sentences[code] ?? "a transfer failed at"} ${where}`;
}
