import { expect, test } from "vitest";
import { type Damage, damageRound, damagesOf } from "../store/damage-rounds.ts";
import { figures, rounds } from "./campaign.ts";

/** Every page of the database, many lengths, other contents, and the WAL cut and garbled. */
test("a damaged store is replaced, what is whole is delivered, and no seq comes twice", async () => {
  const damages = await damagesOf(rounds(400, 12));
  const sum = { states: 0, replaced: 0 };
  const byKind: Record<string, { found: number; wanted: number }> = {};
  const worst: { damage?: Damage; share: number } = { share: 1 };
  for (const damage of damages) {
    const { replaced, found, wanted } = await damageRound(damage);
    sum.states += 1;
    sum.replaced += replaced ? 1 : 0;
    byKind[damage.kind] ??= { found: 0, wanted: 0 };
    const kind = byKind[damage.kind];
    if (kind) Object.assign(kind, { found: kind.found + found, wanted: kind.wanted + wanted });
    if (damage.kind === "page" && found / wanted < worst.share) Object.assign(worst, { damage, share: found / wanted });
  }
  const percent = (part: number) => `${(part * 100).toFixed(1)} %`;
  const whole = Object.entries(byKind).map(([kind, { found, wanted }]) => [
    `found after ${kind}`,
    percent(found / wanted),
  ]);
  figures("damage to the store", {
    ...sum,
    ...Object.fromEntries(whole),
    "found after the worst page": `${percent(worst.share)} (page ${worst.damage?.at})`,
    "seq reused": 0,
  });
  expect(worst.share).toBeGreaterThan(0.8);
});
