import { expect, test } from "vitest";
import { topicsOf } from "../../src/core/topics.ts";
import { answerTopic } from "../../src/uplink/requests/answer-topic.ts";

const rules = { topics: topicsOf("farm/north", "gw"), foreignPrefixes: ["homeassistant/", "farm/north/"] };

test.each(["my/answers", "farm/northern/x", "farm/north/gw/response/info", "a", "x".repeat(512)])(
  "%s is answered on",
  (asked) => {
    expect(answerTopic(asked, rules)).toBe(asked);
  },
);

test.each([
  "",
  "#",
  "x/+/y",
  "x/#",
  "$SYS/broker",
  "$share/group/x",
  "x\0",
  "x".repeat(513),
  "ü".repeat(257),
  "homeassistant/status",
  "homeassistant/device/gw/room/config",
  "farm/north/gw/status",
  "farm/north/gw/request/info",
  "farm/north/gw/pump/set",
  // Another gateway would obey.
  "farm/north/other/request/restart",
  "farm/north/other/pump/set",
])("%s is not: the asker would speak in our name", (asked) => {
  expect(answerTopic(asked, rules)).toBeUndefined();
});
