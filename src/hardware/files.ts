/**
 * The kernel's files as a port: /sys (1-Wire, IIO, hwmon, thermal), /proc, /run. Paths are absolute; the adapter may
 * be rooted elsewhere.
 *
 * Errors: NOT_FOUND (ENOENT, ENODEV, ENXIO), ACCESS_DENIED, FILE_IO (EIO, ETIMEDOUT, EAGAIN and the like).
 */
export interface KernelFiles {
  /** The whole file as text, without the trailing newline. At most 64 KiB. */
  read(path: string): Promise<string>;
  write(path: string, text: string): Promise<void>;
  /** Names in a directory, sorted; empty if there is no such directory. */
  list(path: string): Promise<string[]>;
  /** The path with symbolic links resolved, still under the port's root. */
  resolve(path: string): Promise<string>;
  /** Space of the file system that holds `path`. */
  space(path: string): Promise<{ readonly totalBytes: number; readonly freeBytes: number }>;
}

/** How something is set by whoever can write a file, without this process. */
export interface FileWrite {
  readonly path: string;
  readonly text: string;
}
