import { expect, test } from "vitest";
import { damageRound, damagesOf, prepare } from "../broker/persistence/damage-rounds.ts";
import { figures, rounds } from "./campaign.ts";

/** Every page of the database, many lengths, other contents, and the WAL cut and garbled. */
test("the broker serves whatever became of its database, and says where it moved a damaged one", async () => {
  using prepared = await prepare();
  const all = damagesOf(prepared, rounds(300, 10));
  let replaced = 0;
  let kept = 0;
  for (const damage of all) {
    const result = await damageRound(prepared, damage);
    if (result.replaced) replaced++;
    else if (result.sessions > 0) kept++;
  }
  figures("damage to the broker's database", { states: all.length, replaced, "sessions kept": kept });
  expect(replaced).toBeGreaterThan(0);
});
