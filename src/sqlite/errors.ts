import { type ErrorCode, errnoName, GatewayError, isGatewayError } from "../core/errors.ts";

/** First words of SQLite's extended result codes (sqlite.org/rescode.html) and errno names of our own fsync. */
const meanings: ReadonlyArray<readonly [RegExp, ErrorCode]> = [
  [/^SQLITE_(CORRUPT|NOTADB)/, "STORE_CORRUPT"],
  [/^(SQLITE_FULL|ENOSPC|EDQUOT)/, "STORE_FULL"],
  [/^SQLITE_(IOERR|READONLY|CANTOPEN|BUSY|LOCKED|PROTOCOL)/, "STORE_IO"],
  [/^(EIO|EROFS|EACCES|EPERM|ENOENT|ENOTDIR|EEXIST|ENODEV|EBADF)$/, "STORE_IO"],
];

/** What SQLite or the file system said, by our codes; what is not known by name stays as it is, for it is a bug. */
export function asStoreError(error: unknown): unknown {
  const code = errnoName(error);
  if (isGatewayError(error) || code === undefined || !(error instanceof Error)) return error;
  const meaning = meanings.find(([pattern]) => pattern.test(code))?.[1];
  return meaning ? new GatewayError(meaning, `${error.message} (${code})`, { cause: error }) : error;
}

/** An error on its way through a message port, which would strip it of its class and its code. */
export interface CarriedError {
  readonly code?: ErrorCode;
  readonly message: string;
  readonly stack?: string;
}

export function carryError(thrown: unknown): CarriedError {
  const error = asStoreError(thrown);
  if (!(error instanceof Error)) return { message: String(error) };
  return {
    message: error.message,
    ...(isGatewayError(error) && { code: error.code }),
    ...(error.stack && { stack: error.stack }),
  };
}

export function uncarryError(carried: CarriedError): Error {
  const error = carried.code ? new GatewayError(carried.code, carried.message) : new Error(carried.message);
  if (carried.stack) error.stack = carried.stack;
  return error;
}
