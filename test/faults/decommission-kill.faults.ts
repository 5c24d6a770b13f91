import { test } from "vitest";
import { createGateway } from "../support/gateway.ts";
import {
  type BrokerKind,
  brokers,
  DEVICE_STEPS,
  GATEWAY_STEPS,
  killDeviceRound,
  killGatewayRound,
} from "../system/decommission-rounds.ts";
import { figures, rounds } from "./campaign.ts";

const HOUR_MS = 3_600_000;

test(
  "kill -9 at every step of a decommission, then run again, leaves nothing and brings nothing back",
  async () => {
    let kills = 0;
    const restarts = rounds(10, 1);
    for (const kind of Object.keys(brokers) as BrokerKind[]) {
      for (const step of DEVICE_STEPS) {
        await using gateway = createGateway();
        await killDeviceRound(gateway, kind, step, restarts);
        kills++;
      }
      for (const step of GATEWAY_STEPS) {
        await using gateway = createGateway();
        await killGatewayRound(gateway, kind, step);
        kills++;
      }
    }
    figures("kill -9 at every step of a decommission", { kills, restarts, "topics left": 0 });
  },
  HOUR_MS,
);
