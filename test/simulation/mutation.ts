import type { Loaded } from "../../src/store/database/store-calls.ts";
import type { Store } from "../../src/store/store.ts";
import type { Link } from "../../src/uplink/link.ts";

/** Makes an agent wrong at the seams between its stations, to see that the simulation notices. */
export interface Mutation {
  /** The disk says that it has synced, and has not. */
  readonly diskLies?: true;
  /** What a process leaves in memory is gone with it. */
  readonly losesStaging?: true;
  /** What the disk tells at a start. */
  loaded?(loaded: Loaded): Loaded;
  /** The store as the uplink sees it. */
  store?(store: Store): Store;
  link?(link: Link): Link;
}
