import type { Log } from "../core/log.ts";
import type { AccessControl } from "./access/access-control.ts";
import type { BrokerLimits } from "./limits.ts";
import type { Message } from "./message.ts";
import type { Authorise, BrokerOptions } from "./options.ts";
import type { Journal } from "./persistence/journal.ts";
import type { RetainedMessages } from "./routing/retained.ts";
import type { TopicTable } from "./routing/topic-table.ts";
import type { Subscriber, TopicTree } from "./routing/topic-tree.ts";
import type { SessionDeps } from "./sessions/session.ts";
import type { Sessions } from "./sessions/sessions.ts";
import type { BrokerStats } from "./stats.ts";
import type { Timers } from "./timers.ts";
import type { Turn } from "./turn.ts";

/** What every connection shares. */
export interface BrokerContext {
  readonly options: BrokerOptions;
  readonly access: AccessControl;
  /** Undefined: everything is allowed. */
  readonly authorise: Authorise | undefined;
  readonly limits: BrokerLimits;
  readonly log: Log;
  readonly timers: Timers;
  readonly newClientId: () => string;
  readonly stats: BrokerStats;
  readonly turn: Turn;
  readonly topics: TopicTable;
  readonly tree: TopicTree;
  readonly retained: RetainedMessages;
  readonly sessions: Sessions;
  readonly sessionDeps: SessionDeps;
  /** Undefined where nothing outlives the process. */
  readonly journal: Journal | undefined;
  /** Retains it where it asks for it, and routes it. */
  publish(message: Message, publisher: Subscriber | undefined): Published;
}

export interface Published {
  /** How many it went to. */
  readonly reached: number;
  /** False: it was to be retained, and there was no room. */
  readonly retained: boolean;
}
