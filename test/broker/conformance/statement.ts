/**
 * A normative statement: its number, what it asks in short, and `binds` where a test must show it, else why it does
 * not bind this server.
 */
export type Statement = readonly [id: string, text: string, status: string];

export const binds = "binds";
export const client = "binds clients";

export function notUsed(why: string): string {
  return `does not apply: ${why}`;
}
