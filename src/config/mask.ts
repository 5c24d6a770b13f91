import { editDistance } from "./suggest.ts";

const MASK = "***";
const SECRET_WORD = /passw|passphrase|^pass$|pwd|secret|token|^psk$|api_?key|private_?key|credential/i;
/** Where the secret is, not what it is. */
const NAMES_A_FILE = /_(file|path|dir)$/i;
const SECRET_NAMES = ["password", "passwd", "passphrase", "secret"];
/** A reference to a secret is not one, and is worth seeing in an error. */
const REFERENCE = /^["']?(?:!(?:secret|credential)\s+[\w.-]+|\$\{\w+\})["']?\s*(?:#.*)?$/;

/** Does a key of this name hold a secret? A misspelt `pasword` does too. */
export function isSecretKey(key: string): boolean {
  if (NAMES_A_FILE.test(key)) return false;
  const slipOf = (name: string): boolean =>
    key.length > 4 && Math.abs(key.length - name.length) <= 2 && editDistance(key.toLowerCase(), name) <= 2;
  return SECRET_WORD.test(key) || SECRET_NAMES.some(slipOf);
}

/**
 * A line of YAML without the secrets in it. It need not be valid YAML (`password = hunter2`), so whatever follows a word
 * that sounds like a secret is masked, up to the end of the line.
 */
export function maskLine(line: string): string {
  for (const { 0: word, index } of line.matchAll(/(?<![!\w/.-])[\w-]+/g)) {
    const after = index + word.length;
    const rest = /^["']?\s*[:=]?\s*/.exec(line.slice(after))?.[0].length ?? 0;
    const value = line.slice(after + rest);
    if (rest === 0 || /^(#|$)/.test(value) || !isSecretKey(word) || REFERENCE.test(value)) continue;
    return maskUserInfo(line.slice(0, after + rest)) + MASK;
  }
  return maskUserInfo(line);
}

/** `mqtt://user:password@host` without the part before the `@`. */
function maskUserInfo(text: string): string {
  return text.replaceAll(/(:\/\/)\S*@/g, `$1${MASK}@`);
}
