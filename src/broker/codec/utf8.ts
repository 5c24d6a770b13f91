import { isUtf8 } from "node:buffer";
import { malformed } from "./reasons.ts";

/**
 * A UTF-8 string of MQTT (5.0: 1.5.4; 3.1.1: 1.5.3): well-formed, so no overlong forms and no surrogates
 * [MQTT-1.5.4-1], and without U+0000 [MQTT-1.5.4-2]. A byte order mark stays what it is, U+FEFF [MQTT-1.5.4-3].
 * Control characters and noncharacters, which a receiver may refuse, are refused, as Mosquitto does.
 */
export function decodeUtf8(bytes: Buffer, start: number, end: number): string {
  let ascii = true;
  for (let i = start; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x20 || byte === 0x7f) throw malformed("a string contains a control character");
    if (byte > 0x7f) ascii = false;
  }
  if (ascii) return bytes.toString("latin1", start, end);
  if (!isUtf8(bytes.subarray(start, end))) throw malformed("a string is not well-formed UTF-8");
  const text = bytes.toString("utf8", start, end);
  if (disallowed.test(text)) throw malformed("a string contains a control character or noncharacter");
  return text;
}

/** U+0080 to U+009F and the noncharacters of Unicode, the last two of every plane among them. */
const disallowed = /[\u0080-\u009f\ufdd0-\ufdef]|\p{Noncharacter_Code_Point}/u;
