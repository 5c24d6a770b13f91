import { expect, test } from "vitest";
import { settleSmallValues } from "../../src/wiring/lifecycle/settle.ts";
import { fakeLog } from "../fakes/log.ts";
import { SmallStore } from "../fakes/small-store.ts";

const device = (id: string, driver: string, previousId?: string) => ({
  id,
  driver: { name: driver },
  ...(previousId !== undefined && { previousId }),
});
const LEARNT = { "driver/room": "total", "offset/room": "300", "process/room": "mean" };

test("another driver does not get what was kept of the former one, and what Home Assistant was told stays", () => {
  const store = new SmallStore({ ...LEARNT, "ha.told/room": "told", "ha.identity/room": "cellar", "driver/hall": "7" });
  settleSmallValues([device("room", "bme280")], store, fakeLog());
  expect(Object.fromEntries(store.meta)).toMatchObject(LEARNT);
  store.newestOf.set("room", new Map());
  settleSmallValues([device("room", "sht4x")], store, fakeLog());
  expect(Object.fromEntries(store.meta)).toEqual({
    "driver.name/room": "sht4x",
    "ha.told/room": "told",
    "ha.identity/room": "cellar",
    "driver/hall": "7",
  });
  expect(store.devices()).toEqual([]);
});

test("the same driver goes on with it, also after the device was out of the configuration for a while", () => {
  const store = new SmallStore(LEARNT);
  settleSmallValues([device("room", "sht4x")], store, fakeLog());
  settleSmallValues([], store, fakeLog());
  settleSmallValues([device("room", "sht4x")], store, fakeLog());
  expect(Object.fromEntries(store.meta)).toMatchObject(LEARNT);
});

test("a device that is renamed and has another driver at once does not get the former one's values", () => {
  const store = new SmallStore({ ...LEARNT, "driver.name/room": "bme280" });
  settleSmallValues([device("attic", "sht4x", "room")], store, fakeLog());
  expect(Object.fromEntries(store.meta)).toEqual({ "driver.name/attic": "sht4x", "ha.identity/attic": "room" });
});

test("of a device that was decommissioned nothing is kept, though a crash came before it was forgotten", () => {
  const store = new SmallStore({ ...LEARNT, "driver/hall": "7" });
  store.newestOf.set("room", new Map());
  store.ended.set("room", 1);
  settleSmallValues([device("room", "sht4x"), device("hall", "sht4x")], store, fakeLog());
  expect(Object.fromEntries(store.meta)).toEqual({ "driver/hall": "7", "driver.name/hall": "sht4x" });
  expect(store.devices()).toEqual([]);
});

test("of a device that a command ended and revived nothing that was staged comes back, and that is seen to once", () => {
  const store = new SmallStore({ ...LEARNT, "forget/room": "1" });
  settleSmallValues([device("room", "sht4x")], store, fakeLog());
  expect(Object.fromEntries(store.meta)).toEqual({ "driver.name/room": "sht4x" });
  store.meta.set("offset/room", "12");
  settleSmallValues([device("room", "sht4x")], store, fakeLog());
  expect(store.meta.get("offset/room")).toBe("12");
});

test("what waits under the former id of a device that ended is not for its next life", () => {
  const store = new SmallStore({ ...LEARNT, "forget/attic": "1" });
  settleSmallValues([device("attic", "sht4x", "room")], store, fakeLog());
  expect(Object.fromEntries(store.meta)).toEqual({ "driver.name/attic": "sht4x", "ha.identity/attic": "room" });
});

test("with the gateway everything of its devices ends, and its own id stays", () => {
  const store = new SmallStore({ ...LEARNT, "ha.told/gateway": "told", gateway_id: "gw", "store.instance": "i" });
  store.newestOf.set("room", new Map());
  store.ended.set("gateway", 1);
  settleSmallValues([device("room", "sht4x")], store, fakeLog());
  expect(Object.fromEntries(store.meta)).toEqual({ gateway_id: "gw", "store.instance": "i" });
  expect(store.devices()).toEqual([]);
});
