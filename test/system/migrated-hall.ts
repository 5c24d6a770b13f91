/** A configuration whose hall goes on as entities that mqtt-io announced: channel -> whose place it takes. */
export function migratedHall(
  url: string,
  channels: Readonly<Record<string, { readonly uniqueId: string; readonly migrateFrom: string }>>,
): string {
  const lines = Object.entries(channels).map(
    ([key, { uniqueId, migrateFrom }]) =>
      `      ${key}: { home_assistant: { unique_id: ${uniqueId}, migrate_from: ${migrateFrom} } }\n`,
  );
  return `gateway: { id: gw }
mqtt: { url: ${url} }
devices:
  - id: hall
    driver: sht4x
    bus: sim
    interval: 1s
    channels:
${lines.join("")}`;
}
