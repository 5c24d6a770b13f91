import { isGatewayError } from "../../core/errors.ts";
import type { RetainedMessage } from "../../core/topics.ts";
import { PROBATION_MS } from "../backlog/suspects.ts";
import { type Link, type Publication, type Qos, REASON } from "../link.ts";
import type { Context } from "../state.ts";
import { Latest } from "./latest.ts";
import type { LedgerNotes } from "./ledger-notes.ts";

/** Heartbeats that may be missed before `online` and `state` expire (MQTT 5). */
const HEARTBEATS_KEPT = 3;

export interface Outgoing extends RetainedMessage {
  readonly retain?: false;
  readonly qos?: Qos;
  readonly expires?: boolean;
}

interface Parts {
  readonly link: Link;
  /** Whose ledger is kept. */
  readonly broker: string;
  readonly context: Context;
  readonly notes: LedgerNotes;
}

/** Publishes the newest of each topic over one connection, noted in the ledger before it goes out. */
export class LiveSender {
  readonly #link: Link;
  readonly #broker: string;
  readonly #context: Context;
  readonly #notes: LedgerNotes;
  readonly #latest: Latest;
  /** Topics that went out over this connection, some because they changed while the rest was announced. */
  readonly #said = new Set<string>();

  constructor({ link, broker, context, notes }: Parts, failed: (error: unknown) => void) {
    this.#link = link;
    this.#broker = broker;
    this.#context = context;
    this.#notes = notes;
    this.#latest = new Latest((error) => {
      if (!isGatewayError(error)) failed(error);
      else if (error.code !== "BROKER_UNREACHABLE") context.deps.log.warn("not published", { error: error.message });
    });
  }

  hasSaid(topic: string): boolean {
    return this.#said.has(topic);
  }

  /** Resolves when nothing is under way any more. */
  settled(): Promise<void> {
    return this.#latest.settled();
  }

  /** Sends what `make` says when its turn comes. Resolves when nothing of this key is left to send; never rejects. */
  put(key: string, make: () => Outgoing | undefined): Promise<void> {
    return this.#latest.put(key, () => {
      const message = make();
      if (message) this.#said.add(key);
      return this.#send(message);
    });
  }

  async #send(message: Outgoing | undefined): Promise<void> {
    if (!message || this.#notes.isOver || this.#forgotten(message)) return;
    const { topic, payload, device, retain = true, qos = 1, expires = false } = message;
    const { deps, options, memory } = this.#context;
    if (retain) await this.#notes.add({ topic, broker: this.#broker, ...(device !== undefined && { device }) });
    if (this.#notes.isOver || this.#forgotten(message)) return;
    const expirySeconds = Math.ceil((HEARTBEATS_KEPT * options.heartbeatMs) / 1000);
    const publication = { topic, payload, qos, retain, ...(expires && { expirySeconds }) };
    if (await this.#isKeptBack(publication)) return;
    const code = await this.#link.publish(publication, true, memory.suspects.has(publication));
    memory.suspects.acquit(publication);
    memory.banned.delete(topic);
    if (code < REASON.unspecified) {
      memory.forbidden.delete(topic);
    } else if (memory.forbidden.get(topic) !== code) {
      memory.forbidden.set(topic, code);
      deps.log.warn("the broker refuses a topic", { topic, code });
    }
  }

  /** The broker has dropped the link over it, or may be about to: then the link has to hold for a while first. */
  async #isKeptBack(publication: Publication): Promise<boolean> {
    const { memory, deps } = this.#context;
    if (memory.suspects.isOnProbation(publication)) await deps.clock.sleep(PROBATION_MS);
    return publication.payload.length >= (memory.banned.get(publication.topic) ?? Number.POSITIVE_INFINITY);
  }

  #forgotten({ device }: Outgoing): boolean {
    return device !== undefined && this.#context.memory.forgotten.has(device);
  }
}
