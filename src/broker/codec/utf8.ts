import { isUtf8 } from "node:buffer";
import { malformed } from "./reasons.ts";

/**
 * A UTF-8 string of MQTT (5.0: 1.5.4; 3.1.1: 1.5.3): well-formed, so no overlong forms and no surrogates
 * [MQTT-1.5.4-1], and without U+0000 [MQTT-1.5.4-2]. A byte order mark stays what it is, U+FEFF [MQTT-1.5.4-3].
 */
export function decodeUtf8(bytes: Buffer, start: number, end: number): string {
  let ascii = true;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === 0) throw malformed("a string contains U+0000");
    if (byte > 0x7f) ascii = false;
  }
  if (ascii) return bytes.toString("latin1", start, end);
  if (!isUtf8(bytes.subarray(start, end))) throw malformed("a string is not well-formed UTF-8");
  return bytes.toString("utf8", start, end);
}
