import { describe, expect, test } from "vitest";
import { dialogue } from "./dialogue.ts";

const v4 = (steps: string, options = {}) => dialogue(4, steps, options);

describe("MQTT 3.1.1", () => {
  test.each([
    ["[MQTT-1.5.3-1] [MQTT-3.3.2-1] a topic that is not UTF-8", "30 { 0002 c328 }"],
    ["[MQTT-1.5.3-2] [MQTT-4.7.3-2] U+0000 in a topic", "30 { 0002 6100 }"],
    ["[MQTT-2.2.2-1] [MQTT-2.2.2-2] [MQTT-4.8.0-1] a reserved flag", "c1 00"],
    ["[MQTT-2.3.1-1] SUBSCRIBE with packet identifier 0", "82 { 0000 'a' 00 }"],
    ["[MQTT-3.1.0-2] a second CONNECT", "JOIN"],
    ["[MQTT-3.3.1-2] DUP at QoS 0", "38 { 'a' }"],
    ["[MQTT-3.3.1-4] QoS 3", "36 { 'a' 0001 }"],
    ["[MQTT-3.3.2-2] [MQTT-4.7.1-1] a wildcard in a topic name", "30 { 'a/+' }"],
    ["[MQTT-3.6.1-1] PUBREL without its flags", "60 { 0001 }"],
    ["[MQTT-3.8.1-1] SUBSCRIBE without its flags", "80 { 0001 'a' 00 }"],
    ["[MQTT-3.8.3-1] a filter that is not UTF-8", "82 { 0001 0002 c328 00 }"],
    ["[MQTT-3.8.3-3] SUBSCRIBE without a filter", "82 { 0001 }"],
    ["[MQTT-3-8.3-4] reserved bits in SUBSCRIBE", "82 { 0001 'a' 04 }"],
    ["[MQTT-3-8.3-4] a subscription with QoS 3", "82 { 0001 'a' 03 }"],
    ["[MQTT-3.10.1-1] UNSUBSCRIBE without its flags", "a0 { 0001 'a' }"],
    ["[MQTT-3.10.3-1] its filter not UTF-8", "a2 { 0001 0002 c328 }"],
    ["[MQTT-3.10.3-2] UNSUBSCRIBE without a filter", "a2 { 0001 }"],
    ["[MQTT-3.14.1-1] reserved bits of DISCONNECT", "e1 00"],
    ["[MQTT-4.7.1-2] # that is not last", "82 { 0001 'a/#/b' 00 }"],
    ["[MQTT-4.7.1-3] + beside other characters", "82 { 0001 'a+' 00 }"],
    ["[MQTT-4.7.3-1] an empty topic", "30 { '' }"],
    ["[MQTT-4.7.3-3] a topic that claims more than is there", "30 { ffff 61 }"],
  ])("%s ends the connection", async (_title, hex) => {
    await v4(`a JOIN -> OK\na ${hex} -> closed`);
  });

  test.each([
    ["[MQTT-3.1.0-1] a first packet that is not CONNECT", "c000", ""],
    ["[MQTT-3.1.2-1] another protocol name", "10 { 'MQTX' 04 02 0000 'a' }", ""],
    ["[MQTT-3.1.2-2] [MQTT-3.2.2-4] [MQTT-3.2.2-5] another level", "10 { 'MQTT' 03 02 0000 'a' }", "20020001"],
    ["[MQTT-3.1.2-3] [MQTT-3.1.4-1] [MQTT-3.2.2-6] the reserved flag", "10 { 'MQTT' 04 03 0000 'a' }", ""],
    ["[MQTT-3.1.2-9] a will flag without a will", "10 { 'MQTT' 04 06 0000 'a' }", ""],
    ["[MQTT-3.1.2-11] a will without its flag", "10 { 'MQTT' 04 02 0000 'a' 'w' 'gone' }", ""],
    ["[MQTT-3.1.2-13] will QoS without a will", "10 { 'MQTT' 04 0a 0000 'a' }", ""],
    ["[MQTT-3.1.2-14] will QoS 3", "10 { 'MQTT' 04 1e 0000 'a' 'w' 'gone' }", ""],
    ["[MQTT-3.1.2-15] will retain without a will", "10 { 'MQTT' 04 22 0000 'a' }", ""],
    ["[MQTT-3.1.2-18] a user name without its flag", "10 { 'MQTT' 04 02 0000 'a' 'u' }", ""],
    ["[MQTT-3.1.2-19] a flag without a user name", "10 { 'MQTT' 04 82 0000 'a' }", ""],
    ["[MQTT-3.1.2-20] a password without its flag", "10 { 'MQTT' 04 82 0000 'a' 'u' 'p' }", ""],
    ["[MQTT-3.1.2-21] a flag without a password", "10 { 'MQTT' 04 c2 0000 'a' 'u' }", ""],
    ["[MQTT-3.1.2-22] a password without a user name", "10 { 'MQTT' 04 42 0000 'a' 'p' }", ""],
    ["[MQTT-3.1.3-3] no client id", "10 { 'MQTT' 04 02 0000 }", ""],
    ["[MQTT-3.1.3-4] a client id that is not UTF-8", "10 { 'MQTT' 04 02 0000 0002 c328 }", ""],
    ["[MQTT-3.1.3-8] [MQTT-3.1.3-9] an empty id of a session to keep", "10 { 'MQTT' 04 00 0000 '' }", "20020002"],
    ["[MQTT-3.1.3-10] a will topic that is not UTF-8", "10 { 'MQTT' 04 06 0000 'a' 0002 c328 'gone' }", ""],
    ["[MQTT-3.1.3-11] a user name that is not UTF-8", "10 { 'MQTT' 04 82 0000 'a' 0002 c328 }", ""],
  ])("%s is refused", async (_title, hex, answer) => {
    await v4(`a ${hex} -> ${answer} closed`);
  });

  test("[MQTT-1.5.3-3] [MQTT-4.7.3-4] a byte order mark and letters of either case are kept apart", async () => {
    await v4(`
      a JOIN -> OK
      a 82 { 0001 '\uFEFFa' 00 'é' 00 } -> 90 { 0001 00 00 }
      a 30 { 'a' } 30 { '\uFEFFa' } 30 { '\uFEFFA' } 30 { 'e\u0301' } -> 30 { '\uFEFFa' }`);
  });

  test("[MQTT-3.1.2-4] [MQTT-3.1.2-5] [MQTT-3.1.3-2] [MQTT-3.2.2-2] [MQTT-3.2.2-3] [MQTT-4.1.0-1] [MQTT-4.5.0-1] a session that is kept goes on, with what came meanwhile", async () => {
    await v4(`
      a KEEP -> OK
      a 82 { 0001 'x' 01 } -> 90 { 0001 01 }
      cut a
      b JOIN -> OK
      b 32 { 'x' 0007 31 } 34 { 'x' 0008 32 } 30 { 'x' 30 } -> 40 { 0007 } 50 { 0008 }
      a KEEP -> BACK 32 { 'x' 0001 31 } 32 { 'x' 0002 32 }`);
  });

  test("[MQTT-3.1.2-6] [MQTT-3.1.2-7] [MQTT-3.1.4-3] [MQTT-3.2.2-1] a clean session has nothing of an earlier one, but what is retained stays", async () => {
    await v4(`
      a KEEP -> OK
      a 82 { 0001 'x' 01 } 31 { 'x' 72 } -> 90 { 0001 01 } 30 { 'x' 72 }
      cut a
      a JOIN -> OK
      a 30 { 'x' 31 } -> 
      cut a
      a KEEP -> OK
      a 82 { 0001 'x' 01 } -> 90 { 0001 01 } 31 { 'x' 72 }`);
  });

  test("[MQTT-3.1.2-8] [MQTT-3.1.2-10] [MQTT-3.1.2-16] [MQTT-3.1.3-1] a will is published once, not retained", async () => {
    await v4(`
      w JOIN -> OK
      w 82 { 0001 'w' 00 } -> 90 { 0001 00 }
      a 10 { 'MQTT' 04 c6 0000 'a' 'w' 'gone' 'user' 'word' } -> OK
      cut a
      w -> 30 { 'w' 676f6e65 }
      a JOIN -> OK
      cut a
      w 82 { 0002 'w' 00 } -> 90 { 0002 00 }`);
  });

  test("[MQTT-3.1.2-12] [MQTT-3.14.4-3] no will is published without one, or after DISCONNECT", async () => {
    await v4(`
      w JOIN -> OK
      w 82 { 0001 '#' 00 } -> 90 { 0001 00 }
      a JOIN -> OK
      cut a
      a 10 { 'MQTT' 04 06 0000 'a' 'w' 'gone' } -> OK
      a e000 -> closed
      w -> `);
  });

  test("[MQTT-3.1.2-17] a will that says so is retained", async () => {
    await v4(`
      a 10 { 'MQTT' 04 26 0000 'a' 'w' 'gone' } -> OK
      cut a
      w JOIN -> OK
      w 82 { 0001 'w' 00 } -> 90 { 0001 00 } 31 { 'w' 676f6e65 }`);
  });

  test("[MQTT-3.1.2-24] one and a half keep alives of silence end the connection", async () => {
    await v4(`
      a 10 { 'MQTT' 04 02 000a 'a' } -> OK
      wait 14
      a -> 
      wait 15
      a -> closed`);
  });

  test("[MQTT-3.1.3-5] [MQTT-3.1.4-4] [MQTT-3.2.0-1] an id of 23 letters and digits is taken", async () => {
    await v4(`
      a 10 { 'MQTT' 04 02 0000 'abcdefghijklmnopqrstuvw' } -> OK
      b 10 { 'MQTT' 04 02 0000 '0123456789XYZ' } -> OK`);
  });

  test("[MQTT-3.1.3-6] clients without an id have one each", async () => {
    await v4(`
      a 10 { 'MQTT' 04 02 0000 '' } -> OK
      b 10 { 'MQTT' 04 02 0000 '' } -> OK
      a -> `);
  });

  test("[MQTT-3.1.4-2] a client that takes an id over ends whoever had it", async () => {
    await v4(`
      a JOIN -> OK
      b 10 { 'MQTT' 04 02 0000 'a' } -> OK
      a -> closed`);
  });

  test("[MQTT-3.1.4-5] nothing behind a refused CONNECT is processed", async () => {
    await v4(`
      w JOIN -> OK
      w 82 { 0001 '#' 00 } -> 90 { 0001 00 }
      a 10 { 'MQTT' 04 00 0000 '' } 30 { 'x' } -> 20020002 closed
      w -> `);
  });

  test("[MQTT-2.3.1-4] [MQTT-3.3.1-1] [MQTT-4.3.2-1] [MQTT-4.4.0-1] [MQTT-4.6.0-1] [MQTT-4.1.0-2] QoS 1 is sent until PUBACK, under its identifier, in order", async () => {
    await v4(`
      a KEEP -> OK
      a 82 { 0001 'x' 01 } -> 90 { 0001 01 }
      a 32 { 'x' 0009 31 } 32 { 'x' 0009 32 } -> 32 { 'x' 0001 31 } 40 { 0009 } 32 { 'x' 0002 32 } 40 { 0009 }
      a -> 
      cut a
      a KEEP -> BACK 3a { 'x' 0001 31 } 3a { 'x' 0002 32 }
      a 40 { 0001 } -> 
      cut a
      a KEEP -> BACK 3a { 'x' 0002 32 }`);
  });

  test("[MQTT-4.3.3-1] QoS 2 is sent until PUBREC, and PUBREL until PUBCOMP", async () => {
    await v4(`
      a KEEP -> OK
      a 82 { 0001 'x' 02 } -> 90 { 0001 02 }
      b JOIN -> OK
      b 34 { 'x' 0009 31 } -> 50 { 0009 }
      a -> 34 { 'x' 0001 31 }
      cut a
      a KEEP -> BACK 3c { 'x' 0001 31 }
      a 50 { 0001 } -> 62 { 0001 }
      cut a
      a KEEP -> BACK 62 { 0001 }
      a 70 { 0001 } -> 
      cut a
      a KEEP -> BACK`);
  });

  test("[MQTT-4.3.3-2] [MQTT-2.3.1-6] QoS 2 is published once until PUBREL, and then its identifier is free", async () => {
    await v4(`
      w JOIN -> OK
      w 82 { 0001 'x' 00 } -> 90 { 0001 00 }
      a JOIN -> OK
      a 34 { 'x' 0009 31 } 3c { 'x' 0009 31 } 62 { 0009 } 62 { 0009 } -> 50 { 0009 } 50 { 0009 } 70 { 0009 } 70 { 0009 }
      a 34 { 'x' 0009 32 } -> 50 { 0009 }
      w -> 30 { 'x' 31 } 30 { 'x' 32 }`);
  });

  test("[MQTT-2.3.1-5] [MQTT-3.3.1-3] [MQTT-3.3.4-1] [MQTT-4.3.1-1] [MQTT-4.3.2-2] each QoS has its answer, and DUP is not passed on", async () => {
    await v4(`
      w JOIN -> OK
      w 82 { 0001 'x' 01 } -> 90 { 0001 01 }
      a JOIN -> OK
      a 30 { 'x' 30 } 3a { 'x' 0001 31 } 3a { 'x' 0001 31 } 3c { 'x' 0002 32 } -> 40 { 0001 } 40 { 0001 } 50 { 0002 }
      w -> 30 { 'x' 30 } 32 { 'x' 0001 31 } 32 { 'x' 0002 31 } 32 { 'x' 0003 32 }`);
  });

  test("[MQTT-3.3.1-5] [MQTT-3.3.1-6] [MQTT-3.3.1-7] [MQTT-3.3.1-8] [MQTT-3.3.1-12] the last retained message goes to a new subscription", async () => {
    await v4(`
      a JOIN -> OK
      a 33 { 'x/y' 0001 31 } 30 { 'x/y' 32 } -> 40 { 0001 }
      a 82 { 0001 'x/+' 02 } -> 90 { 0001 02 } 33 { 'x/y' 0001 31 }
      a 40 { 0001 } 31 { 'x/y' 33 } -> 30 { 'x/y' 33 }
      b JOIN -> OK
      b 82 { 0001 '#' 02 } -> 90 { 0001 02 } 31 { 'x/y' 33 }`);
  });

  test("[MQTT-3.3.1-9] [MQTT-3.3.1-10] [MQTT-3.3.1-11] an empty retained message clears, and is delivered without RETAIN", async () => {
    await v4(`
      a JOIN -> OK
      a 82 { 0001 'x' 00 } 31 { 'x' 31 } 31 { 'x' } -> 90 { 0001 00 } 30 { 'x' 31 } 30 { 'x' }
      a 82 { 0002 'x' 00 } -> 90 { 0002 00 }`);
  });

  test("[MQTT-3.3.2-3] [MQTT-4.7.2-1] what matches is delivered, $ topics not to leading wildcards", async () => {
    await v4(`
      a JOIN -> OK
      a 82 { 0001 '+/y' 00 } 82 { 0002 'x/#' 00 } 82 { 0003 '$z/y' 00 } -> 90 { 0001 00 } 90 { 0002 00 } 90 { 0003 00 }
      a 30 { 'a/y' } 30 { 'x' } 30 { 'a/b' } 30 { '$y/y' } 30 { '$z/y' } -> 30 { 'a/y' } 30 { 'x' } 30 { '$z/y' }`);
  });

  test("[MQTT-3.3.5-1] [MQTT-3.8.4-6] overlapping subscriptions deliver at the highest QoS granted, and not above the message's", async () => {
    await v4(`
      a JOIN -> OK
      a 82 { 0001 'x/+' 02 } 82 { 0002 'x/#' 01 } 82 { 0003 'x/y' 00 } -> 90 { 0001 02 } 90 { 0002 01 } 90 { 0003 00 }
      b JOIN -> OK
      b 34 { 'x/y' 0009 } 30 { 'x/y' } 34 { 'x' 000a } -> 50 { 0009 } 50 { 000a }
      a -> 34 { 'x/y' 0001 } 30 { 'x/y' } 32 { 'x' 0002 }`);
  });

  test("[MQTT-3.3.5-2] a PUBLISH that is not allowed is acknowledged, and goes nowhere", async () => {
    const options = { authorise: (_who: unknown, access: string) => access !== "write" };
    await v4(
      `
      a JOIN -> OK
      a 82 { 0001 'x' 00 } -> 90 { 0001 00 }
      a 32 { 'x' 0001 } 34 { 'x' 0002 } 30 { 'x' } -> 40 { 0001 } 50 { 0002 }`,
      options,
    );
  });

  test("[MQTT-2.3.1-7] [MQTT-3.8.4-1] [MQTT-3.8.4-2] [MQTT-3.8.4-4] [MQTT-3.8.4-5] [MQTT-3.9.3-1] [MQTT-3.9.3-2] SUBACK answers every filter in order", async () => {
    const options = { authorise: (_who: unknown, _access: string, topic: string) => topic !== "no" };
    await v4(
      `
      a JOIN -> OK
      a 82 { 1234 'a' 02 'no' 01 'b' 00 'c' 01 } -> 90 { 1234 02 80 00 01 }`,
      options,
    );
  });

  test("[MQTT-3.8.4-3] the same filter replaces the subscription and sends what is retained again", async () => {
    await v4(`
      a JOIN -> OK
      a 31 { 'x' 72 } 82 { 0001 'x' 01 } -> 90 { 0001 01 } 31 { 'x' 72 }
      a 82 { 0002 'x' 00 } -> 90 { 0002 00 } 31 { 'x' 72 }
      a 32 { 'x' 0001 31 } -> 30 { 'x' 31 } 40 { 0001 }`);
  });

  test("[MQTT-3.10.4-1] [MQTT-3.10.4-2] [MQTT-3.10.4-4] [MQTT-3.10.4-5] [MQTT-3.10.4-6] UNSUBSCRIBE takes equal filters, and is always answered", async () => {
    await v4(`
      a JOIN -> OK
      a 82 { 0001 'x/+' 00 'x/y' 00 } -> 90 { 0001 00 00 }
      a a2 { 0002 '#' 'x/z' } -> b0 { 0002 }
      a a2 { 0003 'x/+' 'none' } 30 { 'x/z' } 30 { 'x/y' } -> b0 { 0003 } 30 { 'x/y' }`);
  });

  test("[MQTT-3.10.4-3] what was begun is completed after UNSUBSCRIBE", async () => {
    await v4(`
      a KEEP -> OK
      a 82 { 0001 'x' 02 } -> 90 { 0001 02 }
      a 34 { 'x' 0009 31 } a2 { 0002 'x' } -> 50 { 0009 } 34 { 'x' 0001 31 } b0 { 0002 }
      cut a
      a KEEP -> BACK 3c { 'x' 0001 31 }
      a 50 { 0001 } -> 62 { 0001 }`);
  });

  test("[MQTT-3.12.4-1] PINGREQ is answered", async () => {
    await v4("a JOIN c000 c000 -> OK d000 d000");
  });

  test("[MQTT-4.6.0-5] [MQTT-4.6.0-6] messages arrive in the order they were sent", async () => {
    const numbers = Array.from({ length: 9 }, (_, i) => i + 1);
    const sent = numbers.map((n) => `32 { 'x' 000${n} 3${n} }`).join(" ");
    const acks = numbers.map((n) => `40 { 000${n} }`).join(" ");
    await v4(`
      w JOIN -> OK
      w 82 { 0001 'x' 01 } -> 90 { 0001 01 }
      a JOIN -> OK
      a ${sent} -> ${acks}
      w -> ${sent}`);
  });

  test("[MQTT-4.8.0-2] what cannot be processed for lack of room ends the connection", async () => {
    const steps = "a JOIN -> OK\na 34 { 'x' 0001 } 34 { 'x' 0002 } -> 50 { 0001 } closed";
    await expect(v4(steps, { limits: { receiveMaximum: 1, queuedMessages: 1 } })).resolves.toBeUndefined();
  });
});
