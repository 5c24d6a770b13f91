import { expect, test } from "vitest";
import type { Config } from "../../src/config/schema/config.ts";
import { applyRenames, entityIdOf, formerIds } from "../../src/wiring/lifecycle/renames.ts";
import { fakeLog } from "../fakes/log.ts";

function bench() {
  const meta = new Map([["driver/room", "42"]]);
  const store = {
    getMeta: (key: string) => meta.get(key),
    setMeta: (key: string, value: string) => void meta.set(key, value),
  };
  const apply = (...devices: { id: string; previousId?: string }[]) =>
    applyRenames(devices as unknown as Config["devices"], store, fakeLog());
  return { meta, apply, entity: (id: string) => entityIdOf(store, id) };
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

test.each(["driver", "offset", "process"])("what is kept as %s goes on under the new id", (part) => {
  const { apply, meta } = bench();
  meta.set(`${part}/room`, "42");
  apply({ id: "attic", previousId: "room" });
  expect(meta.get(`${part}/attic`)).toBe("42");
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
