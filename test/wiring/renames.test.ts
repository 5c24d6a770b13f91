import { expect, test } from "vitest";
import type { Config } from "../../src/config/schema/config.ts";
import { applyRenames, entityIdOf, formerIds } from "../../src/wiring/lifecycle/renames.ts";
import { fakeLog } from "../fakes/log.ts";
import { SmallStore } from "../fakes/small-store.ts";

const PARTS = ["driver", "driver.name", "offset", "process", "ha.deleted", "ha.replaced", "ha.told"];

function bench() {
  const store = new SmallStore({ "driver/room": "42" });
  const apply = (...devices: { id: string; previousId?: string }[]) => applyRenames(devices, store, fakeLog());
  return { store, meta: store.meta, apply, entity: (id: string) => entityIdOf(store, id) };
}

test("entities keep the first id over several renames, with and without `previous_id` in the configuration", () => {
  const { apply, entity } = bench();
  apply({ id: "room" });
  apply({ id: "attic", previousId: "room" });
  apply({ id: "attic" });
  apply({ id: "loft", previousId: "attic" });
  apply({ id: "loft" });
  expect(entity("loft")).toBe("room");
});

test.each(PARTS)("what is kept as %s goes on under the new id", (part) => {
  const { apply, meta } = bench();
  meta.set(`${part}/room`, "42");
  apply({ id: "attic", previousId: "room" });
  expect(meta.get(`${part}/attic`)).toBe("42");
});

test("nothing is left under the old id for a new device to find", () => {
  const { apply, store, meta } = bench();
  for (const part of [...PARTS, "removed"]) meta.set(`${part}/room`, "42");
  store.newestOf.set("room", new Map());
  meta.set("ha.identity/room", "cellar");
  apply({ id: "attic", previousId: "room" });
  expect([...meta.keys()].filter((key) => key.endsWith("/room"))).toEqual([]);
  expect(store.devices()).toEqual([]);
});

test("a rename that was cut off anywhere is the same when it is made again", () => {
  const whole = bench();
  for (const { meta } of [whole]) for (const part of PARTS) meta.set(`${part}/room`, part);
  whole.apply({ id: "attic", previousId: "room" });
  for (let steps = 0; steps < 2 * PARTS.length + 1; steps++) {
    const { apply, store, meta } = bench();
    for (const part of PARTS) meta.set(`${part}/room`, part);
    let left = steps;
    const { setMeta } = store;
    store.setMeta = (key, value) => {
      if (left-- === 0) throw new Error("killed");
      setMeta.call(store, key, value);
    };
    expect(() => apply({ id: "attic", previousId: "room" })).toThrow("killed");
    store.setMeta = setMeta;
    apply({ id: "attic", previousId: "room" });
    expect(meta).toEqual(whole.meta);
  }
});

test("what a device has of its own under its new id stays", () => {
  const { apply, meta } = bench();
  meta.set("driver/attic", "own");
  apply({ id: "attic", previousId: "room" });
  expect(meta.get("driver/attic")).toBe("own");
});

test("a new device under an id that others' entities go on with has entities of its own", () => {
  const { apply, entity } = bench();
  apply({ id: "attic", previousId: "room" });
  apply({ id: "attic" }, { id: "room" });
  expect([entity("attic"), entity("room")]).toEqual(["room", "room_2"]);
});

test("ids that devices had before are told", () => {
  const devices = [{ id: "attic", previousId: "room" }, { id: "hall" }] as unknown as Config["devices"];
  expect([...formerIds(devices)]).toEqual(["room"]);
});
