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

/** Levels are limited by their separators, as Mosquitto counts them. */
export function separatorCount(topic: string): number {
  let count = 0;
  for (let at = topic.indexOf("/"); at >= 0; at = topic.indexOf("/", at + 1)) count++;
  return count;
}

/** Names that belong to the broker: others may read there, not write. */
export function isSystemTopic(topic: string): boolean {
  return topic === "$SYS" || topic.startsWith("$SYS/");
}

/** Where a client may write below `$SYS`: Mosquitto's bridges tell there whether they are connected. */
export function isBridgeState(topic: string): boolean {
  return /^\$SYS\/broker\/connection\/[^/]+\/state$/.test(topic);
}

export interface SharedFilter {
  readonly share: string;
  readonly filter: string;
}

/**
 * The parts of `$share/{ShareName}/{filter}` (5.0: 4.8.2; 3.1.1 clients may use it too). Undefined where it is not one;
 * "malformed" where it begins like one, but has no name, a wildcard in its name [MQTT-4.8.2-2] or no filter.
 */
export function sharedFilter(filter: string): SharedFilter | "malformed" | undefined {
  if (filter === "$share") return "malformed";
  if (!filter.startsWith("$share/")) return undefined;
  const [, share = ""] = filter.split("/", 2);
  const rest = filter.slice("$share/".length + share.length + 1);
  if (share === "" || share.includes("+") || share.includes("#") || rest === "") return "malformed";
  return { share, filter: rest };
}
