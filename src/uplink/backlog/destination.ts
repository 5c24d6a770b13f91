/** The broker, as the outbox calls it; its other destinations are the consumers. */
export const DESTINATION = "mqtt";

/** Whoever sends receipts over MQTT. Names with a dot in front are parts of the gateway that read along. */
export function isConsumer(destination: string): boolean {
  return destination !== DESTINATION && !destination.startsWith(".");
}
