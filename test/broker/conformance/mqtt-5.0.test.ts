import { describe, expect, test } from "vitest";
import { openTestBroker } from "../support/broker.ts";
import { connectPacket } from "../support/peer.ts";
import { dialogue } from "./dialogue.ts";

const v5 = (steps: string, options = {}) => dialogue(5, steps, options);

describe("MQTT 5.0", () => {
  test.each([
    ["[MQTT-1.5.7-1] a user property that is not UTF-8", "30 { 'x' 08 26 'k' 0002 c328 }", "81"],
    ["[MQTT-3.3.2-1] [MQTT-4.13.1-1] a topic that is not UTF-8", "30 { 0002 c328 00 }", "81"],
    ["[MQTT-3.3.2-8] topic alias 0", "30 { 'x' 03 230000 }", "94"],
    ["[MQTT-3.3.2-13] a response topic that is not UTF-8", "30 { 'x' 05 08 0002 c328 }", "81"],
    ["[MQTT-3.3.2-19] a content type that is not UTF-8", "30 { 'x' 05 03 0002 c328 }", "81"],
    ["[MQTT-3.6.1-1] PUBREL without its flags", "60 { 0001 }", "81"],
    ["[MQTT-3.8.1-1] SUBSCRIBE without its flags", "80 { 0001 00 'x' 00 }", "81"],
    ["[MQTT-3.8.3-1] a filter that is not UTF-8", "82 { 0001 00 0002 c328 00 }", "81"],
    ["[MQTT-3.10.1-1] UNSUBSCRIBE without its flags", "a0 { 0001 00 'x' }", "81"],
    ["[MQTT-3.10.3-1] its filter not UTF-8", "a2 { 0001 00 0002 c328 }", "81"],
    ["[MQTT-3.14.1-1] [MQTT-3.14.2-1] reserved bits of DISCONNECT", "e1 00", "81"],
    ["[MQTT-3.15.1-1] reserved bits of AUTH", "f1 00", "82"],
    ["[MQTT-4.7.0-1] a wildcard in a topic name", "30 { 'x/#' 00 }", "81"],
    ["[MQTT-4.7.3-2] U+0000 in a filter", "82 { 0001 00 0002 6100 00 }", "81"],
    ["[MQTT-4.7.3-3] a topic that claims more than is there", "30 { ffff 61 }", "81"],
    ["[MQTT-3.14.4-1] [MQTT-3.14.4-2] [MQTT-4.13.2-1] a mistake in the middle of others", "0000 c000 0000", "82"],
  ])("%s ends the connection with a reason", async (_title, hex, reason) => {
    await v5(`a JOIN -> OK\na ${hex} -> e0 01 ${reason} closed`);
  });

  test.each([
    ["[MQTT-3.1.2-9] a will flag without a will", "10 { 'MQTT' 05 06 0000 00 'a' }", "20 03 00 81 00"],
    ["[MQTT-3.1.2-16] a user name without its flag", "10 { 'MQTT' 05 02 0000 00 'a' 'u' }", "20 03 00 81 00"],
    ["[MQTT-3.1.2-17] a flag without a user name", "10 { 'MQTT' 05 82 0000 00 'a' }", ""],
    ["[MQTT-3.1.2-18] a password without its flag", "10 { 'MQTT' 05 82 0000 00 'a' 'u' 'p' }", "20 03 00 81 00"],
    ["[MQTT-3.1.2-19] a flag without a password", "10 { 'MQTT' 05 42 0000 00 'a' }", ""],
    ["[MQTT-3.1.3-3] no client id", "10 { 'MQTT' 05 02 0000 00 }", "20 03 00 81 00"],
    ["[MQTT-3.1.3-4] a client id that is not UTF-8", "10 { 'MQTT' 05 02 0000 00 0002 c328 }", "20 03 00 85 00"],
    ["[MQTT-3.1.3-11] a will topic not UTF-8", "10 { 'MQTT' 05 06 0000 00 'a' 00 0002 c328 'g' }", ""],
    ["[MQTT-3.1.3-12] a user name that is not UTF-8", "10 { 'MQTT' 05 82 0000 00 'a' 0002 c328 }", ""],
    [
      "[MQTT-3.1.4-1] [MQTT-3.2.2-6] [MQTT-3.2.2-7] [MQTT-3.2.2-8] [MQTT-3.14.0-1] receive maximum 0",
      "10 { 'MQTT' 05 02 0000 03 210000 'a' }",
      "20 03 00 82 00",
    ],
  ])("%s is refused", async (_title, hex, answer) => {
    await v5(`a ${hex} -> ${answer} closed`);
  });

  test("[MQTT-3.1.2-6] [MQTT-3.1.2-23] [MQTT-3.1.3-2] [MQTT-3.1.4-4] [MQTT-3.1.4-5] [MQTT-4.5.0-1] a session goes on, with what came meanwhile", async () => {
    await v5(`
      a KEEP -> OK
      a 82 { 0001 00 'x' 01 } -> 90 { 0001 00 01 }
      cut a
      b JOIN -> OK
      b 32 { 'x' 0007 00 31 } 34 { 'x' 0008 00 32 } 30 { 'x' 00 30 } -> 40 { 0007 } 50 { 0008 }
      wait 99
      a KEEP -> BACK 32 { 'x' 0001 00 31 } 32 { 'x' 0002 00 32 }`);
  });

  test("[MQTT-4.1.0-1] [MQTT-4.1.0-2] a session ends when its expiry has passed since the connection ended", async () => {
    await v5(`
      a KEEP -> OK
      wait 200
      cut a
      wait 99
      a KEEP -> BACK
      cut a
      wait 100
      a KEEP -> OK`);
  });

  test("[MQTT-3.1.2-7] [MQTT-3.1.2-10] [MQTT-3.1.3-1] [MQTT-3.1.3-10] a will is published once, with its properties in order", async () => {
    const will = "13 18 00000000 26 'b' '1' 26 'a' '2'";
    await v5(`
      w JOIN -> OK
      w 82 { 0001 00 'w' 00 } -> 90 { 0001 00 00 }
      a 10 { 'MQTT' 05 c6 0000 00 'a' ${will} 'w' 'gone' 'user' 'word' } -> OK
      cut a
      w -> 30 { 'w' 0e 26 'b' '1' 26 'a' '2' 676f6e65 }
      a 10 { 'MQTT' 05 06 0000 00 'a' 00 'w' 'gone' } -> OK
      a e000 -> closed
      w -> `);
  });

  test("[MQTT-3.1.2-25] [MQTT-4.9.0-2] what is larger than the client takes counts as sent", async () => {
    await v5(`
      a 10 { 'MQTT' 05 02 0000 08 27 00000015 210001 'a' } -> OK
      a 82 { 0001 00 'x' 01 } -> 90 { 0001 00 01 }
      b JOIN -> OK
      b 32 { 'x' 0001 00 ${"30".repeat(20)} } 32 { 'x' 0002 00 31 } -> 40 { 0001 } 40 { 0002 }
      a -> 32 { 'x' 0002 00 31 }`);
  });

  test("[MQTT-3.1.2-27] [MQTT-3.3.2-7] no topic alias is sent without a maximum, and none outlives the connection", async () => {
    await v5(`
      a JOIN -> OK
      a 82 { 0001 00 'x' 00 } 30 { 'x' 03 230001 31 } 30 { '' 03 230001 32 } -> 90 { 0001 00 00 } 30 { 'x' 00 31 } 30 { 'x' 00 32 }
      cut a
      a JOIN -> OK
      a 30 { '' 03 230001 32 } -> e00182 closed
      b 10 { 'MQTT' 05 00 0000 08 2200011100000064 'b' } -> OK
      b 82 { 0001 00 'x' 01 } 32 { 'x' 0001 00 31 } -> 90 { 0001 00 01 } 32 { 'x' 0001 03 230001 31 } 40 { 0001 }
      cut b
      b 10 { 'MQTT' 05 00 0000 08 2200011100000064 'b' } -> BACK 3a { 'x' 0001 03 230001 31 }
      cut b
      b 10 { 'MQTT' 05 00 0000 05 1100000064 'b' } -> BACK 3a { 'x' 0001 00 31 }`);
  });

  test("[MQTT-3.1.2-26] [MQTT-3.3.2-11] a client that takes topic aliases is sent none above its maximum", async () => {
    await v5(`
      a 10 { 'MQTT' 05 02 0000 03 220001 'a' } -> OK
      a 82 { 0001 00 '#' 00 } -> 90 { 0001 00 00 }
      a 30 { 'x' 00 31 } 30 { 'y' 00 32 } -> 30 { 'x' 03 230001 31 } 30 { 'y' 00 32 }
      a 30 { 'y' 00 33 } 30 { 'x' 00 34 } -> 30 { 'y' 00 33 } 30 { '' 03 230001 34 }`);
  });

  test("[MQTT-3.1.2-28] [MQTT-4.12.0-6] CONNACK has neither response information nor an authentication method", async () => {
    await v5("a 10 { 'MQTT' 05 02 0000 02 1901 'a' } -> OK\nb 10 { 'MQTT' 05 02 0000 02 1900 'b' } -> OK");
  });

  test.each([
    ["is told no", "02 1700"],
    ["says nothing of it is told no", "00"],
  ])("[MQTT-3.1.2-29] a client that %s reason strings and user properties", async (_, properties) => {
    await v5(`
      a 10 { 'MQTT' 05 02 0000 ${properties} 'a' } -> OK
      a 32 { '$SYS/x' 0001 00 } 34 { '$SYS/x' 0002 00 } -> 40 { 0001 87 } 50 { 0002 87 }
      a a2 { 0003 00 'x' } -> b0 { 0003 00 11 }
      a 30 { '#' 00 } -> e00181 closed`);
  });

  test("[MQTT-3.1.3-5] [MQTT-3.2.0-1] [MQTT-3.2.0-2] [MQTT-3.2.2-1] an id of 23 letters and digits is taken", async () => {
    await v5("a 10 { 'MQTT' 05 02 0000 00 'abcdefghijklmnopqrstuvw' } -> OK\na -> ");
  });

  test("[MQTT-3.1.3-6] [MQTT-3.2.2-16] clients without an id are given one each", async () => {
    await using broker = await openTestBroker();
    const first = await broker.accepted(connectPacket({ version: 5, clientId: "" }));
    const second = await broker.accepted(connectPacket({ version: 5, clientId: "" }));
    expect(first.connack.properties.assignedClientIdentifier).toMatch(/./);
    expect(second.connack.properties.assignedClientIdentifier).not.toBe(
      first.connack.properties.assignedClientIdentifier,
    );
    expect(await first.peer.untilPong()).toEqual([]);
  });

  test("[MQTT-3.1.4-6] nothing behind a refused CONNECT is processed", async () => {
    await v5(`
      w JOIN -> OK
      w 82 { 0001 00 '#' 00 } -> 90 { 0001 00 00 }
      a 10 { 'MQTT' 05 02 0000 04 15 'x' 'a' } 30 { 'x' 00 } -> 20 03 00 8c 00 closed
      w -> `);
  });

  test("[MQTT-3.2.2-22] without a server keep alive the client's own holds", async () => {
    await v5(`
      a 10 { 'MQTT' 05 02 000a 00 'a' } -> 20 { 00 00 0b 22000a 27001e8480 210014 }
      wait 15
      a -> e0018d closed`);
  });

  test("[MQTT-2.2.1-2] [MQTT-2.2.2-1] [MQTT-3.3.1-3] [MQTT-3.3.4-1] [MQTT-4.3.1-1] [MQTT-4.3.2-2] [MQTT-4.3.2-5] [MQTT-4.6.0-6] each QoS has its answer, and DUP is not passed on", async () => {
    await v5(`
      w JOIN -> OK
      w 82 { 0001 00 'x' 01 } -> 90 { 0001 00 01 }
      a JOIN -> OK
      a 30 { 'x' 00 30 } 3a { 'x' 0001 00 31 } 3a { 'x' 0001 00 31 } 3c { 'x' 0002 00 32 } -> 40 { 0001 } 40 { 0001 } 50 { 0002 }
      w -> 30 { 'x' 00 30 } 32 { 'x' 0001 00 31 } 32 { 'x' 0002 00 31 } 32 { 'x' 0003 00 32 }`);
  });

  test("[MQTT-3.3.1-8] without RETAIN nothing that is retained changes", async () => {
    await v5(`
      a JOIN -> OK
      a 31 { 'x' 00 72 } 30 { 'x' 00 73 } 30 { 'x' 00 } 30 { 'y' 00 31 } -> 
      a 82 { 0001 00 '#' 00 } -> 90 { 0001 00 00 } 31 { 'x' 00 72 }`);
  });

  test("[MQTT-3.3.2-3] what is delivered matches the filter", async () => {
    await v5(`
      a JOIN -> OK
      a 82 { 0001 00 '+/y' 00 'x/#' 00 } -> 90 { 0001 00 00 00 }
      a 30 { 'a/y' 00 } 30 { 'x' 00 } 30 { 'a/b' 00 } 30 { 'y' 00 } 30 { 'a/y/' 00 } -> 30 { 'a/y' 00 } 30 { 'x' 00 }`);
  });

  test("[MQTT-4.7.3-4] letters of either case and composed ones are kept apart", async () => {
    await v5(`
      a JOIN -> OK
      a 82 { 0001 00 'a' 00 'é' 00 } -> 90 { 0001 00 00 00 }
      a 30 { 'A' 00 } 30 { 'e\u0301' 00 } 30 { 'é' 00 } -> 30 { 'é' 00 }`);
  });

  test("[MQTT-3.3.2-18] user properties keep their order", async () => {
    await v5(`
      a JOIN -> OK
      a 82 { 0001 00 'x' 00 } -> 90 { 0001 00 00 }
      a 30 { 'x' 15 26 'b' '1' 26 'a' '2' 26 'b' '0' } -> 30 { 'x' 15 26 'b' '1' 26 'a' '2' 26 'b' '0' }`);
  });

  test("[MQTT-3.3.4-3] [MQTT-3.3.4-5] subscription identifiers are sent, a shared subscription's own with its own copy", async () => {
    await v5(`
      a JOIN -> OK
      a 82 { 0001 02 0b01 'x' 00 } 82 { 0002 02 0b02 '#' 00 } 82 { 0003 02 0b03 '$share/g/x' 00 } -> 90 { 0001 00 00 } 90 { 0002 00 00 } 90 { 0003 00 00 }
      a 30 { 'x' 00 } -> 30 { 'x' 04 0b02 0b01 } 30 { 'x' 02 0b03 }`);
  });

  test("[MQTT-3.3.4-10] [MQTT-4.9.0-1] [MQTT-4.9.0-3] without quota everything but PUBLISH above QoS 0 goes on", async () => {
    await v5(`
      a 10 { 'MQTT' 05 02 0000 03 210001 'a' } -> OK
      a 82 { 0001 00 'x' 01 } -> 90 { 0001 00 01 }
      b JOIN -> OK
      b 32 { 'x' 0001 00 31 } 32 { 'x' 0002 00 32 } 30 { 'x' 00 33 } -> 40 { 0001 } 40 { 0002 }
      a -> 32 { 'x' 0001 00 31 } 30 { 'x' 00 33 }
      a 32 { 'y' 0009 00 } 82 { 0002 00 'z' 00 } a2 { 0003 00 'z' } -> 40 { 0009 10 } 90 { 0002 00 00 } b0 { 0003 00 00 }
      a 40 { 0001 } -> 32 { 'x' 0002 00 32 }`);
  });

  test("[MQTT-2.2.1-5] [MQTT-3.4.2-1] [MQTT-3.5.2-1] [MQTT-3.6.2-1] [MQTT-3.7.2-1] [MQTT-4.3.3-8] [MQTT-4.3.3-11] [MQTT-4.3.3-12] acknowledgements carry the identifier and a reason of their own", async () => {
    await v5(`
      w JOIN -> OK
      w 82 { 0001 00 'x' 02 } -> 90 { 0001 00 02 }
      a JOIN -> OK
      a 32 { 'none' 0101 00 } 32 { 'x' 0102 00 31 } -> 40 { 0101 10 } 40 { 0102 }
      a 34 { 'x' 0103 00 32 } 62 { 0103 } 34 { 'x' 0103 00 33 } -> 50 { 0103 } 70 { 0103 } 50 { 0103 }
      w -> 32 { 'x' 0001 00 31 } 34 { 'x' 0002 00 32 } 34 { 'x' 0003 00 33 }
      w 40 { 0001 } 50 { 0003 } 50 { 0002 } -> 62 { 0003 } 62 { 0002 }`);
  });

  test("[MQTT-4.3.3-9] after a PUBREC that refuses, the identifier stands for a new message", async () => {
    const options = {
      authorise: (_who: unknown, access: string, topic: string) => access !== "write" || topic !== "no",
    };
    await v5(
      `
      a JOIN -> OK
      a 82 { 0001 00 'x' 00 } -> 90 { 0001 00 00 }
      a 34 { 'no' 0001 00 } 34 { 'x' 0001 00 31 } -> 50 { 0001 87 } 50 { 0001 } 30 { 'x' 00 31 }`,
      options,
    );
  });

  test("[MQTT-2.2.1-4] [MQTT-4.3.2-1] [MQTT-4.3.2-3] [MQTT-4.3.3-1] [MQTT-4.3.3-2] [MQTT-4.3.3-3] [MQTT-4.3.3-5] [MQTT-4.3.3-6] what is not acknowledged is sent again under its own identifier", async () => {
    await v5(`
      a KEEP -> OK
      a 82 { 0001 00 'x' 02 } -> 90 { 0001 00 02 }
      b JOIN -> OK
      b 32 { 'x' 0007 00 31 } 34 { 'x' 0008 00 32 } 34 { 'x' 0009 00 33 } -> 40 { 0007 } 50 { 0008 } 50 { 0009 }
      a -> 32 { 'x' 0001 00 31 } 34 { 'x' 0002 00 32 } 34 { 'x' 0003 00 33 }
      a 50 { 0002 } -> 62 { 0002 }
      cut a
      a KEEP -> BACK 3a { 'x' 0001 00 31 } 62 { 0002 } 3c { 'x' 0003 00 33 }
      a 40 { 0001 } 70 { 0002 } 50 { 0003 } 70 { 0003 } -> 62 { 0003 }
      cut a
      a KEEP -> BACK
      b 32 { 'x' 000a 00 34 } -> 40 { 000a }
      a -> 32 { 'x' 0004 00 34 }`);
  });

  test("[MQTT-4.3.3-7] [MQTT-4.3.3-13] a message that was sent does not expire before it is acknowledged", async () => {
    await v5(`
      a KEEP -> OK
      a 82 { 0001 00 'x' 02 } -> 90 { 0001 00 02 }
      b JOIN -> OK
      b 34 { 'x' 0009 05 02 0000000a 31 } -> 50 { 0009 }
      a -> 34 { 'x' 0001 05 02 0000000a 31 }
      wait 20
      b 62 { 0009 } -> 70 { 0009 }
      cut a
      a KEEP -> BACK 3c { 'x' 0001 05 02 00000000 31 }
      a 50 { 0001 } -> 62 { 0001 }`);
  });

  test("[MQTT-4.4.0-2] what the client refused is not sent again", async () => {
    await v5(`
      a KEEP -> OK
      a 82 { 0001 00 'x' 02 } -> 90 { 0001 00 02 }
      b JOIN -> OK
      b 32 { 'x' 0001 00 31 } 34 { 'x' 0002 00 32 } -> 40 { 0001 } 50 { 0002 }
      a -> 32 { 'x' 0001 00 31 } 34 { 'x' 0002 00 32 }
      a 40 { 0001 80 } 50 { 0002 80 } -> 
      cut a
      a KEEP -> BACK`);
  });

  test("[MQTT-2.2.1-6] [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-5] [MQTT-3.8.4-7] [MQTT-3.9.3-1] [MQTT-3.9.3-2] SUBACK answers every filter in order", async () => {
    const options = { authorise: (_who: unknown, _access: string, topic: string) => topic !== "no" };
    await v5(
      `
      a JOIN -> OK
      a 82 { 1234 00 'a' 02 'no' 01 'b' 00 'c' 01 } -> 90 { 1234 00 02 87 00 01 }`,
      options,
    );
  });

  test("[MQTT-3.8.4-4] the same filter sends what is retained again, and loses nothing", async () => {
    await v5(`
      a JOIN -> OK
      a 31 { 'x' 00 72 } 82 { 0001 00 'x' 01 } -> 90 { 0001 00 01 } 31 { 'x' 00 72 }
      a 30 { 'x' 00 31 } 82 { 0002 00 'x' 00 } 30 { 'x' 00 32 } -> 30 { 'x' 00 31 } 90 { 0002 00 00 } 31 { 'x' 00 72 } 30 { 'x' 00 32 }`);
  });

  test("[MQTT-3.10.4-2] [MQTT-3.10.4-4] [MQTT-3.10.4-6] [MQTT-3.11.3-1] [MQTT-3.11.3-2] UNSUBSCRIBE takes equal filters, and answers each in order", async () => {
    await v5(`
      a JOIN -> OK
      a 82 { 0001 00 'x/+' 00 'x/y' 00 } -> 90 { 0001 00 00 00 }
      a a2 { 0003 00 'x/z' 'x/+' '#' } 30 { 'x/z' 00 } 30 { 'x/y' 00 } -> b0 { 0003 00 11 00 11 } 30 { 'x/y' 00 }`);
  });

  test("[MQTT-3.10.4-3] what was begun is completed after UNSUBSCRIBE", async () => {
    await v5(`
      a KEEP -> OK
      a 82 { 0001 00 'x' 02 } -> 90 { 0001 00 02 }
      a 34 { 'x' 0009 00 31 } a2 { 0002 00 'x' } -> 50 { 0009 } 34 { 'x' 0001 00 31 } b0 { 0002 00 00 }
      cut a
      a KEEP -> BACK 3c { 'x' 0001 00 31 }
      a 50 { 0001 } -> 62 { 0001 }`);
  });

  test("[MQTT-3.12.4-1] PINGREQ is answered", async () => {
    await v5("a JOIN c000 c000 -> OK d000 d000");
  });

  test("[MQTT-3.14.2-2] the server's DISCONNECT says why and nothing else", async () => {
    await v5(`
      a KEEP -> OK
      b 10 { 'MQTT' 05 00 0000 05 1100000064 'a' } -> BACK
      a -> e0018e closed`);
  });
});
