import type { Memory } from "../state.ts";
import type { Fault } from "./payloads.ts";

/** What the operator should know of how the broker takes us. */
export function memoryFaults({ forbidden, banned, further, takenOver }: Memory, clientId: string): Fault[] {
  const found: Fault[] = [];
  const refused = (message: string) => found.push({ code: "BROKER_REFUSED", message });
  for (const [topic, code] of forbidden) refused(`the broker refuses ${topic} (reason 0x${code.toString(16)})`);
  for (const [topic, bytes] of banned)
    refused(`the broker drops the connection over ${topic} (${bytes} bytes): not sent`);
  for (const [number, { lastError }] of further) {
    if (lastError) found.push({ code: lastError.code, message: `connection ${number}: ${lastError.message}` });
  }
  if (takenOver > 0) {
    const message = `another client uses our client id ${clientId}: it has thrown us out ${times(takenOver)}`;
    found.push({ code: "CLIENT_ID_TAKEN", message });
  }
  return found;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
