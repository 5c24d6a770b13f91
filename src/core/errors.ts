/**
 * Every fault that fieldpost knows by name. Whether to try again and what to tell the operator hang on the code, not on
 * the place that threw.
 */
interface CodeFacts {
  /** The same call may succeed a moment later. */
  readonly retryable: boolean;
  /** The thing asked is not there at all (as opposed to: it is there and does not work). */
  readonly absent?: true;
  /** What the operator can do about it. */
  readonly remedy: string;
}

const codes = {
  BUS_NACK: {
    retryable: true,
    absent: true,
    remedy: "check wiring, power and address: `i2cdetect -y BUS` must show the chip",
  },
  BUS_TIMEOUT: { retryable: true, remedy: "a chip holds the bus: power-cycle it, check pull-ups, shorten the wires" },
  BUS_ARBITRATION: { retryable: true, remedy: "another controller drives the bus, or the wires pick up noise" },
  BUS_IO: {
    retryable: true,
    remedy: "check wiring and pull-ups; a chip that stretches the clock wants `i2c_arm_baudrate=10000`",
  },
  BUS_BUSY: {
    retryable: false,
    remedy: "a kernel driver owns this address: use the `iio` or `hwmon` driver, or remove its overlay",
  },
  BUS_MISSING: {
    retryable: false,
    absent: true,
    remedy: "enable the bus (`raspi-config`, Interface Options), then reboot",
  },
  BUS_UNSUPPORTED: { retryable: false, remedy: "this bus cannot make such a transfer: report it with the chip's name" },
  ACCESS_DENIED: { retryable: false, remedy: "add the user to the groups i2c and gpio, then log in again" },
  CHIP_MISMATCH: {
    retryable: false,
    absent: true,
    remedy: "another chip answers at this address: correct `driver` or `address`",
  },
  CHIP_ABSENT: { retryable: true, absent: true, remedy: "check wiring and power, and that the overlay is loaded" },
  CHECKSUM: { retryable: true, remedy: "the bytes arrived damaged: shorten the wires, add pull-ups, slow the bus" },
  NOT_READY: { retryable: true, remedy: "the chip was still measuring: lengthen `interval`" },
  BAD_VALUE: { retryable: true, remedy: "the chip answered with its power-on or error value: check its supply" },
  STUCK: {
    retryable: false,
    remedy:
      "power-cycle the sensor; if it may stand still that long, lengthen `stuck_after` of the channel, or `never`",
  },
  DEADLINE: {
    retryable: false,
    remedy: "the read did not end in time: check the bus for a stuck chip, or lengthen `interval`",
  },
  PIN_MISSING: {
    retryable: false,
    absent: true,
    remedy: "check the BCM number, and that the GPIO chip is visible: `gpioinfo`",
  },
  PIN_BUSY: { retryable: true, remedy: "another program holds this pin: find it with `gpioinfo`" },
  NOT_FOUND: { retryable: false, absent: true, remedy: "check the path or name in the configuration" },
  FILE_IO: { retryable: true, remedy: "the kernel could not read it just now; it is tried again" },
  CONFIG_INVALID: { retryable: false, remedy: "correct the configuration; `fieldpost check` lists every mistake" },
  ADDRESS_IN_USE: {
    retryable: false,
    remedy: "find the program with `ss -ltnpx` and stop it, or set another port or path",
  },
  STORE_FULL: { retryable: false, remedy: "free space on the disk, or raise `store.max_size`" },
  STORE_CORRUPT: {
    retryable: false,
    remedy: "the database was moved aside and a fresh one opened; keep the old one for salvage",
  },
  STORE_NEWER: {
    retryable: false,
    remedy: "this database was written by a newer fieldpost: install that version again",
  },
  STORE_IO: {
    retryable: true,
    remedy: "check the disk and its file system, and that this user may write to `store.path`",
  },
  STORE_LOCKED: { retryable: false, remedy: "another fieldpost uses this store: stop it, or set another `store.path`" },
  BROKER_UNREACHABLE: { retryable: true, remedy: "check `mqtt.url`, the network and that the broker runs" },
  HOME_ASSISTANT_UNREACHABLE: {
    retryable: true,
    remedy: "check `home_assistant.history.url`: it is the address that a browser shows",
  },
  HOME_ASSISTANT_REFUSED: {
    retryable: true,
    remedy: "make a long-lived access token of an administrator in Home Assistant (your profile, Security)",
  },
  BROKER_REFUSED: { retryable: true, remedy: "check user name, password and the broker's access rules" },
  BROKER_TLS: {
    retryable: true,
    remedy: "the broker's certificate was not accepted: check `mqtt.tls.ca`, its names and dates",
  },
  RUNTIME_DIRECTORY: {
    retryable: false,
    remedy: "remove it, or name a directory of this user in the environment variable RUNTIME_DIRECTORY",
  },
  SERVICE_UNREACHABLE: { retryable: true, remedy: "start the service: `systemctl start fieldpost`" },
  DEVICE_UNKNOWN: { retryable: false, remedy: "`fieldpost status` lists the devices" },
  GATEWAY_ONLINE: { retryable: false, remedy: "only a gateway that is gone can be ended from elsewhere" },
  REQUEST_UNKNOWN: { retryable: false, remedy: "README (What is on the wire) lists what can be asked" },
  REQUEST_INVALID: { retryable: false, remedy: "correct the request; README (What is on the wire) has an example" },
  REQUEST_BUSY: { retryable: true, remedy: "ask again a little later" },
  COMMAND_INVALID: { retryable: false, remedy: "correct the payload; README (What is on the wire) has examples" },
  COMMAND_REFUSED: {
    retryable: false,
    remedy: "give it anew: it came too late, or is for nothing that can be switched",
  },
  EPOCH_UNKNOWN: { retryable: false, remedy: "nothing: what is delivered everywhere is forgotten" },
  USAGE_INVALID: { retryable: false, remedy: "`fieldpost help COMMAND` shows an example" },
  TOOL_MISSING: { retryable: false, remedy: "install it: `sudo apt-get install openssl tar gpiod`" },
  BACKUP_FAILED: { retryable: false, remedy: "name an archive of `fieldpost backup`, and a place with room for it" },
  PKI_FAILED: { retryable: false, remedy: "correct what is asked for: `fieldpost help pki` has examples" },
  CANCELLED: { retryable: false, remedy: "nothing: it was asked to stop" },
} as const satisfies Record<string, CodeFacts>;

export type ErrorCode = keyof typeof codes;

/** A fault with a code, one sentence with the values in it, and its cause. */
export class GatewayError extends Error {
  override readonly name = "GatewayError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

export function isGatewayError(error: unknown, ...wanted: ErrorCode[]): error is GatewayError {
  return error instanceof GatewayError && (wanted.length === 0 || wanted.includes(error.code));
}

/** May the same call be made again at once? What we do not know by name is a bug, and bugs are not retried. */
export function isRetryable(error: unknown): boolean {
  return isGatewayError(error) && codes[error.code].retryable;
}

/** Does the error say that the thing is not there? */
export function isAbsence(error: unknown): boolean {
  if (!isGatewayError(error)) return false;
  const facts: CodeFacts = codes[error.code];
  return facts.absent === true;
}

export function remedyFor(code: ErrorCode): string {
  return codes[code].remedy;
}

/** The sentence for people, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The errno name of a Node system error (`ENOENT`, …), if it is one. */
export function errnoName(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
