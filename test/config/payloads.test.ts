import { describe, expect, test } from "vitest";
import { payloadJsonSchema, payloadSchemaText } from "../../src/config/payload-schema.ts";
import { payloads } from "../../src/config/schema/payloads.ts";

const reading = {
  epoch: 1,
  seq: 7,
  time: "2026-05-01T10:00:00.000Z",
  clock: "synced",
  values: { temperature: 21.5, open: true, colour: "red" },
  replay: false,
};

describe("the schemas of payloads", () => {
  test("are config/payloads.schema.json (write it anew: `npx vitest run test/config -u`)", async () => {
    await expect(payloadSchemaText()).toMatchFileSnapshot("../../config/payloads.schema.json");
  });

  test("take what is right, and nothing that a reader could not use", () => {
    const { readings, state, status, set } = payloads;
    expect(readings?.schema.safeParse(reading).success).toBe(true);
    for (const wrong of [
      { ...reading, seq: -1 },
      { ...reading, time: "yesterday" },
      { ...reading, values: { a: null } },
    ])
      expect(readings?.schema.safeParse(wrong).success).toBe(false);
    expect(state?.schema.safeParse({ temperature: 20, time: reading.time }).success).toBe(true);
    expect(state?.schema.safeParse({ temperature: 20 }).success).toBe(false);
    expect(status?.schema.safeParse("online").success).toBe(true);
    expect(set?.schema.safeParse({ state: "on", for: "30s" }).success).toBe(true);
    expect(set?.schema.safeParse({ state: "up" }).success).toBe(false);
  });

  test("let readers skip keys that a newer version adds", () => {
    expect(JSON.stringify(payloadJsonSchema())).not.toContain('"additionalProperties":false');
  });
});
