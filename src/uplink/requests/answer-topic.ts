import type { Topics } from "../../core/topics.ts";

const TOPIC_MAX_BYTES = 512;

export interface AnswerRules {
  readonly topics: Topics;
  /** Topics that others write or that we retain on: nobody makes us answer there. */
  readonly foreignPrefixes: readonly string[];
}

/**
 * The response topic that was asked for; undefined where an answer would let the asker speak in our name, on a topic that
 * he may not write himself.
 */
export function answerTopic(asked: string, { topics, foreignPrefixes }: AnswerRules): string | undefined {
  const isForeign = [topics.root, ...foreignPrefixes].some((prefix) => asked.startsWith(prefix));
  const isFree = asked.startsWith(topics.response("")) || !isForeign;
  const isTopic = /^[^$+#\0][^+#\0]*$/.test(asked) && Buffer.byteLength(asked) <= TOPIC_MAX_BYTES;
  return isTopic && isFree ? asked : undefined;
}
