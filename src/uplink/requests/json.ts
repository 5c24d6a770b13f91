/** A JSON object from somebody else; undefined when it is none, or larger than it may be. */
export function jsonOf(payload: Uint8Array, maxBytes: number): Readonly<Record<string, unknown>> | undefined {
  if (payload.length > maxBytes) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** A whole number from 0 on that a number can hold. */
export function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}
