import type { Config } from "../../config/schema/config.ts";
import { GATEWAY } from "../../core/device.ts";
import { isGatewayError } from "../../core/errors.ts";
import { openReadOnlyStore, type ReadOnlyStore } from "../../store/database/read-only-store.ts";
import { storeOwner } from "../../store/ledger-at-rest.ts";
import { isAt } from "../../store/store.ts";
import { brokerIdentity } from "../../uplink/broker-identity.ts";

type Tombstones = ReadonlyMap<string, number>;

/** What was decommissioned, by the configuration's store; nothing where there is no store that can be read. */
export function tombstonesOf(config: Config): Promise<Tombstones> {
  return look(config, ({ tombstones }) => tombstones);
}

/**
 * As `tombstonesOf`, without those whose end is not finished at the configuration's broker: the service must run to
 * finish it, and leaves them out.
 */
export function finishedTombstones(config: Config): Promise<Tombstones> {
  return look(config, ({ tombstones, ledger }) => {
    const left = ledger.filter((entry) => brokersOf(config).some((broker) => isAt(broker, entry)));
    const isFinished = (id: string) => !left.some(({ device }) => id === GATEWAY || device === id);
    return new Map([...tombstones].filter(([id]) => isFinished(id)));
  });
}

function brokersOf({ mqtt: { urls } }: Config): string[] {
  if (urls.length === 0) return [brokerIdentity("", { broker: "bundled" })];
  return urls.map((url) => brokerIdentity(url, { broker: "external" }));
}

async function look({ store }: Config, tell: (store: ReadOnlyStore) => Tombstones): Promise<Tombstones> {
  if (storeOwner(store.path) === undefined) return new Map();
  try {
    await using opened = await openReadOnlyStore(store.path);
    return tell(opened);
  } catch (error) {
    if (!isGatewayError(error)) throw error;
    return new Map();
  }
}
