/** Longest word worth comparing: what is longer is no slip of the finger. */
const MAX_WORD_LENGTH = 64;
const SHORTEST_BEGINNING = 3;

/** How many letters to add, drop, change or swap with their neighbour to make one word of the other. */
export function editDistance(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const change = (last[column - 1] ?? 0) + (to[column - 1] === from[row - 1] ? 0 : 1);
      const swapped = to[column - 1] === from[row - 2] && to[column - 2] === from[row - 1];
      const swap = swapped ? (beforeLast[column - 2] ?? Number.POSITIVE_INFINITY) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(change, swap, (last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/** The candidate that was most likely meant: at most a third of the letters differ, or one begins with the other. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  if (word.length > MAX_WORD_LENGTH) return undefined;
  const plain = plainOf(word);
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(plain, plainOf(candidate)) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  if (best && best.distance <= Math.max(1, Math.floor(plain.length / 3))) return best.candidate;
  return candidates.find((candidate) => begins(plain, plainOf(candidate)) || begins(plainOf(candidate), plain));
}

/** `; did you mean …?`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? "" : `; did you mean \`${candidate}\`?`;
}

/** `keepAlive`, `keep-alive` and `Keep_Alive` are the same slip. */
function plainOf(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, "");
}

function begins(word: string, beginning: string): boolean {
  return beginning.length >= SHORTEST_BEGINNING && word.startsWith(beginning);
}
