import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const CARD_BYTES = 128 * 1024 * 1024;
const SECTOR_BYTES = 512;

/** An ext4 of its own on a loop device, in memory. */
export interface Card extends Disposable {
  readonly mount: string;
  /** Since it was made. */
  written(): { readonly bytes: number; readonly flushes: number };
}

/** Needs root. */
export function makeCard(root: string, name: string, mountOptions = "noatime"): Card {
  const image = join(root, `${name}.img`);
  const mount = join(root, name);
  writeFileSync(image, "");
  truncateSync(image, CARD_BYTES);
  // As on a card; for one as small as this mkfs would choose smaller ones.
  execFileSync("mkfs.ext4", ["-q", "-F", "-b", "4096", image]);
  mkdirSync(mount);
  execFileSync("mount", ["-o", `loop,${mountOptions}`, image, mount]);
  const device = basename(execFileSync("losetup", ["-n", "-O", "NAME", "-j", image], { encoding: "utf8" }).trim());
  return {
    mount,
    /** Documentation/block/stat.rst: sectors written, flush requests. */
    written() {
      const fields = readFileSync(`/sys/block/${device}/stat`, "utf8").trim().split(/\s+/).map(Number);
      return { bytes: (fields[6] ?? 0) * SECTOR_BYTES, flushes: fields[15] ?? 0 };
    },
    [Symbol.dispose]() {
      execFileSync("umount", [mount]);
      rmSync(image);
    },
  };
}
