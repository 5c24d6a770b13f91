/** Section 4.7 of both versions. Strings come from `decodeUtf8`, so U+0000 is already out [MQTT-4.7.3-2]. */

/** A name to publish to: at least one character [MQTT-4.7.3-1], no wildcard [MQTT-3.3.2-2]. */
export function isTopicName(topic: string): boolean {
  return topic.length > 0 && !topic.includes("+") && !topic.includes("#");
}

/** A filter: `#` alone in the last level [MQTT-4.7.1-1], `+` alone in its level [MQTT-4.7.1-2]. */
export function isTopicFilter(filter: string): boolean {
  if (filter.length === 0) return false;
  const levels = filter.split("/");
  return levels.every(
    (level, index) =>
      (level === "#" && index === levels.length - 1) || level === "+" || !(level.includes("#") || level.includes("+")),
  );
}

export function levelCount(topic: string): number {
  let count = 1;
  for (let at = topic.indexOf("/"); at >= 0; at = topic.indexOf("/", at + 1)) count++;
  return count;
}

/** Shared subscriptions of MQTT 5.0, 4.8.2. */
export function isShared(filter: string): boolean {
  return filter.startsWith("$share/");
}
