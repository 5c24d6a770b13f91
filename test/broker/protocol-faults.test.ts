import { describe, test } from "vitest";
import { dialogue } from "./conformance/dialogue.ts";

/** Where the specification leaves open whether and how a fault is answered, byte-exact suites expect Mosquitto's answer. */
describe("protocol faults of MQTT 5.0", () => {
  test.each([
    ["a remaining length of five bytes", "30 8080808001"],
    ["a PINGREQ with a body", "c0 01 00"],
    ["a PINGRESP with a body", "d0 01 00"],
    ["a DISCONNECT with a reason it does not know", "e0 01 05"],
  ])("%s ends the connection without a word", async (_what, hex) => {
    await dialogue(5, `a JOIN -> OK\na ${hex} -> closed`);
  });

  test.each([
    ["the reserved packet type, at its first byte", "00", "82"],
    ["CONNACK whatever its flags", "22 { 00 00 00 }", "82"],
    ["PINGRESP", "d0 00", "82"],
    ["SUBACK with flags", "91 { 0001 00 }", "81"],
    ["PUBREL with packet identifier 0", "62 { 0000 00 }", "82"],
    ["PUBCOMP with a reason it does not know", "70 { 0001 20 }", "82"],
    ["a property that does not belong in PUBREL", "62 { 0001 00 02 2400 }", "82"],
    ["such a property cut short", "62 { 0001 00 01 24 }", "81"],
    ["[MQTT-3.3.4-6] a subscription identifier in PUBLISH", "30 { 'x' 02 0b01 }", "82"],
  ])("%s ends it with a reason", async (_what, hex, reason) => {
    await dialogue(5, `a JOIN -> OK\na ${hex} -> e0 01 ${reason} closed`);
  });

  test("a will with a property that does not belong there is refused", async () => {
    await dialogue(5, "a 10 { 'MQTT' 05 06 0000 00 'a' 03 210001 'w' 'gone' } -> 20 03 00 82 00 closed");
  });

  test("[MQTT-4.4.0-2] a PUBREC that refuses has no answer, whether or not something waits for it", async () => {
    await dialogue(
      5,
      `
      a JOIN -> OK
      a 50 { 0001 80 } 50 { 0001 80 00 } -> 
      a 50 { 0001 } -> 62 { 0001 }
      a 82 { 0001 00 'x' 02 } 34 { 'x' 0007 00 31 } -> 90 { 0001 00 02 } 50 { 0007 } 34 { 'x' 0001 00 31 }
      a 50 { 0001 80 } -> `,
    );
  });
});

describe("MQTT 3.1", () => {
  test("has no rule for the reserved bits of CONNECT", async () => {
    await dialogue(4, "a 14 { 'MQIsdp' 03 03 000a 'a' } -> 20 02 00 00");
  });
});
