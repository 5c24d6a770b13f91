/** The broker, as the outbox calls it; its other destinations are the consumers. */
export const DESTINATION = "mqtt";
