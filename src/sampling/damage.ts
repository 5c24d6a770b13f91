/** How many of the newest answers came damaged: `true` for a wrong checksum. */
export interface Answers {
  readonly newest: readonly boolean[];
  /** The share is above the limit, or has not fallen to half of it again. */
  readonly isHigh: boolean;
}

export const ANSWERS_SEEN = 100;
/** Of fewer nothing is said: one in three is chance. */
const LEAST_ANSWERS = 20;

export const noAnswers: Answers = { newest: [], isHigh: false };

/** The state after one more answer. It takes half the limit to be well again, or a share at the limit would flap. */
export function answered({ newest, isHigh }: Answers, isDamaged: boolean, limitPercent: number): Answers {
  const next = [...newest, isDamaged].slice(-ANSWERS_SEEN);
  const percent = (100 * next.filter(Boolean).length) / next.length;
  if (next.length < LEAST_ANSWERS) return { newest: next, isHigh };
  return { newest: next, isHigh: isHigh ? percent > limitPercent / 2 : percent > limitPercent };
}
