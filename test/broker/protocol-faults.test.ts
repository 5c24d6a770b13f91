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

describe("what Mosquitto does where it is free to", () => {
  test("what is dropped on its way to a client takes an identifier with it", async () => {
    await dialogue(
      5,
      `
      a 10 { 'MQTT' 05 02 0000 08 2700000015 210001 'a' } -> OK
      a 82 { 0001 00 'x' 01 } -> 90 { 0001 00 01 }
      b JOIN -> OK
      b 32 { 'x' 0001 00 31 } 32 { 'x' 0002 05 02 00000001 32 } 32 { 'x' 0003 00 33 } -> 40 { 0001 } 40 { 0002 } 40 { 0003 }
      wait 2
      a -> 32 { 'x' 0001 00 31 }
      a 40 { 0001 } -> 32 { 'x' 0003 00 33 }
      b 32 { 'x' 0004 00 ${"30".repeat(20)} } 32 { 'x' 0005 00 34 } -> 40 { 0004 } 40 { 0005 }
      a 40 { 0003 } -> 32 { 'x' 0005 00 34 }`,
    );
  });

  test("a QoS 2 message may come twice by one connection, and by the next again", async () => {
    await dialogue(
      5,
      `
      a KEEP -> OK
      a 34 { 'x' 0001 00 } 3c { 'x' 0001 00 } -> 50 { 0001 } 50 { 0001 }
      a 62 { 0001 } 34 { 'x' 0001 00 } 3c { 'x' 0001 00 } -> 70 { 0001 } 50 { 0001 } 50 { 0001 }
      cut a
      a KEEP -> BACK
      a 3c { 'x' 0001 00 } -> 50 { 0001 }
      a 3c { 'x' 0001 00 } -> e0 01 82 closed`,
    );
  });

  test("one without DUP may come under its identifier as often as it likes", async () => {
    await dialogue(
      4,
      `
      a JOIN -> OK
      a 34 { 'x' 0001 31 } 34 { 'x' 0001 } 34 { 'x' 0001 31 } 34 { 'x' 0001 } -> 50 { 0001 } 50 { 0001 } 50 { 0001 } 50 { 0001 }`,
    );
  });

  test("a bridge may tell its state, and nothing else below $SYS; nobody publishes to a share", async () => {
    const state = "'$SYS/broker/connection/me/state'";
    await dialogue(
      5,
      `
      a JOIN -> OK
      a 32 { ${state} 0001 00 } -> 40 { 0001 10 }
      a 32 { '$SYS/broker/connection/me' 0002 00 } -> 40 { 0002 87 }
      a 32 { '$SYS/broker/connection/me/x/state' 0003 00 } -> 40 { 0003 87 }
      a 32 { '$share/g/x' 0004 00 } -> 40 { 0004 87 }`,
    );
  });

  test("a will to the topics that control Mosquitto ends the connection without a word", async () => {
    await dialogue(5, "a 10 { 'MQTT' 05 06 0000 00 'a' 00 '$CONTROL/x' 'gone' } -> closed");
  });

  test("CONNACK has the server keep alive first and the maximum QoS last", async () => {
    const listeners = [{ address: "127.0.0.1", port: 0, maxQos: 1 }] as const;
    const limits = { keepAliveS: 60 };
    const connack = "20 { 00 00 10 13003c 22000a 27001e8480 210014 2401 }";
    await dialogue(5, `a 10 { 'MQTT' 05 02 0064 00 'a' } -> ${connack}`, { listeners, limits });
  });
});

describe("MQTT 3.1", () => {
  test("marks what is repeated, PUBREL among it", async () => {
    await dialogue(
      4,
      `
      a 10 { 'MQIsdp' 03 02 000a 'a' } -> 20 02 00 00
      a 34 { 'x' 0001 } 6a { 0001 } 8a { 0002 'x' 00 } -> 50 { 0001 } 70 { 0001 } 90 { 0002 00 }`,
    );
  });

  test("has no rule for the reserved bits of CONNECT", async () => {
    await dialogue(4, "a 14 { 'MQIsdp' 03 03 000a 'a' } -> 20 02 00 00");
  });
});
