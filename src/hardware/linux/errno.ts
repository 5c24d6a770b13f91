/**
 * What a failed system call says, from Node (a name and a negative number) and from native addons (a positive number
 * and often no name: Node knows none for EREMOTEIO).
 */
export interface SystemFault {
  readonly number: number | undefined;
  /** `EREMOTEIO`, else `errno 121`, else what the error says. */
  readonly name: string;
  /** The call: `open`, `setAddr`, `read`. */
  readonly syscall: string | undefined;
}

/** Linux numbers of what the hardware ports tell apart (include/uapi/asm-generic/errno{-base,}.h); the same on arm and x86. */
const numbers: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  ENXIO: 6,
  EBADF: 9,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  ENODEV: 19,
  ENOTDIR: 20,
  EINVAL: 22,
  EROFS: 30,
  EOPNOTSUPP: 95,
  ETIMEDOUT: 110,
  EREMOTEIO: 121,
};
const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name]));

export function systemFault(error: unknown): SystemFault {
  const { code, errno, syscall, message } = fields(error);
  const named = typeof code === "string" && code !== "" ? code : undefined;
  const number = typeof errno === "number" ? Math.abs(errno) : numbers[named ?? ""];
  const name = names.get(number ?? 0) ?? named ?? (number === undefined ? String(message ?? error) : `errno ${number}`);
  return { number, name, syscall: typeof syscall === "string" ? syscall : undefined };
}

function fields(error: unknown): { code?: unknown; errno?: unknown; syscall?: unknown; message?: unknown } {
  return typeof error === "object" && error !== null ? error : {};
}
