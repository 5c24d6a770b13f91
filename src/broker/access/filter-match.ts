/** Questions about topic filters, by their levels. Wildcards at the beginning leave out `$` topics [MQTT-4.7.2-1]. */

/** Does the one filter match whatever the other matches? A topic is a filter without wildcards. */
export function covers(filter: readonly string[], other: readonly string[]): boolean {
  if (isDollar(filter) !== isDollar(other)) return false;
  for (let at = 0; at < filter.length; at++) {
    const level = filter[at];
    if (level === "#") return true;
    const theirs = other[at];
    if (theirs === undefined || theirs === "#") return false;
    if (level !== "+" && level !== theirs) return false;
  }
  return other.length === filter.length;
}

/** Is there a topic that both match? */
export function overlaps(one: readonly string[], other: readonly string[]): boolean {
  if (isDollar(one) !== isDollar(other)) return false;
  for (let at = 0; ; at++) {
    const [mine, theirs] = [one[at], other[at]];
    if (mine === "#" || theirs === "#") return true;
    if (mine === undefined || theirs === undefined) return mine === theirs;
    if (mine !== "+" && theirs !== "+" && mine !== theirs) return false;
  }
}

function isDollar(levels: readonly string[]): boolean {
  return levels[0]?.startsWith("$") === true;
}
