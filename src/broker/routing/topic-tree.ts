import type { Qos } from "../codec/packets.ts";
import { type SharedFilter, separatorCount, sharedFilter } from "../codec/topic-rules.ts";
import type { Message } from "../message.ts";
import { Share } from "./shares.ts";
import type { Topic } from "./topic-table.ts";

/** 2: it takes a message at once; 1: the message has to wait for it; 0: it is away. */
export type Readiness = 0 | 1 | 2;

/** Who gets messages. */
export interface Subscriber {
  readonly readiness: Readiness;
  /** `share` is given where it was chosen among others. */
  deliver(
    message: Message,
    qos: Qos,
    retain: boolean,
    subscriptionIds: readonly number[] | undefined,
    share?: Share,
  ): void;
  mayRead(topic: string): boolean;
  /** What goes to it is kept over a restart. */
  readonly isKept: boolean;
}

export interface Subscription {
  readonly subscriber: Subscriber;
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly id?: number;
}

/** What a subscription takes in memory, about: its filter twice, and a map and its place in another for each level. */
export function subscriptionBytes(filter: string): number {
  return 300 + 2 * filter.length + 150 * (separatorCount(filter) + 1);
}

/** Everyone who gets what is published to a topic. */
export interface Routes {
  readonly direct: readonly Route[];
  readonly shares: readonly Share[];
}

/** One subscriber of a topic: all of its subscriptions that match, taken together [MQTT-3.3.4-2] [MQTT-3.3.4-5]. */
export interface Route {
  readonly subscriber: Subscriber;
  readonly qos: Qos;
  readonly retainAsPublished: boolean;
  readonly subscriptionIds: readonly number[] | undefined;
  /** One of them does not want what its own client published. */
  readonly noLocal: boolean;
  readonly subscriptions: readonly Subscription[];
}

/** Subscriptions by the levels of their filters; what is found for a topic is remembered until a subscription changes. */
export class TopicTree {
  readonly #root: Node = newNode();
  #version = 0;

  /** Replaces the subscriber's subscription with the same filter [MQTT-3.8.4-3]. */
  add(subscription: Subscription): void {
    const { levels, share } = placeOf(subscription.filter);
    let node = this.#root;
    for (const level of levels) {
      let child = node.children.get(level);
      if (child === undefined) {
        child = newNode();
        node.children.set(level, child);
      }
      node = child;
    }
    if (share === undefined) node.subscriptions.set(subscription.subscriber, subscription);
    else shareOf(node, share, subscription.filter).add(subscription);
    this.#version++;
  }

  remove(subscription: Subscription): void {
    const { levels, share } = placeOf(subscription.filter);
    removeBelow(this.#root, levels, 0, subscription.subscriber, share);
    this.#version++;
  }

  /** Undefined where nobody is in it. */
  share(filter: string): Share | undefined {
    const { levels, share = "" } = placeOf(filter);
    let node: Node | undefined = this.#root;
    for (const level of levels) node = node?.children.get(level);
    return node?.shares.get(share);
  }

  route(topic: Topic): Routes {
    if (topic.route !== undefined && topic.routeVersion === this.#version) return topic.route;
    const { subscriptions, shares } = this.match(topic.name);
    const route = { direct: merge(subscriptions), shares };
    if (route.direct.length <= maxRememberedRoutes) {
      topic.route = route;
      topic.routeVersion = this.#version;
    }
    return route;
  }

  match(topic: string): Match {
    const found: Match = { subscriptions: [], shares: [] };
    collect(this.#root, topic.split("/"), 0, found);
    return found;
  }
}

interface Match {
  readonly subscriptions: Subscription[];
  readonly shares: Share[];
}

function placeOf(filter: string): { levels: readonly string[]; share: string | undefined } {
  const shared = sharedFilter(filter) as SharedFilter | undefined; // what is malformed was refused
  return { levels: (shared?.filter ?? filter).split("/"), share: shared?.share };
}

function shareOf(node: Node, name: string, filter: string): Share {
  let share = node.shares.get(name);
  if (share === undefined) {
    share = new Share(filter);
    node.shares.set(name, share);
  }
  return share;
}

/** A wider fan-out costs more to deliver than to find. */
const maxRememberedRoutes = 256;

interface Node {
  readonly children: Map<string, Node>;
  readonly subscriptions: Map<Subscriber, Subscription>;
  readonly shares: Map<string, Share>;
}

function newNode(): Node {
  return { children: new Map(), subscriptions: new Map(), shares: new Map() };
}

/** Wildcards in the first level leave out topics that begin with `$` [MQTT-4.7.2-1]. */
function collect(node: Node, levels: readonly string[], depth: number, found: Match): void {
  const wild = depth > 0 || !levels[0]?.startsWith("$");
  if (wild) append(found, node.children.get("#"));
  const level = levels[depth];
  if (level === undefined) {
    append(found, node);
    return;
  }
  const exact = node.children.get(level);
  if (exact) collect(exact, levels, depth + 1, found);
  const any = wild ? node.children.get("+") : undefined;
  if (any) collect(any, levels, depth + 1, found);
}

function append(found: Match, node: Node | undefined): void {
  if (node === undefined) return;
  for (const subscription of node.subscriptions.values()) found.subscriptions.push(subscription);
  for (const share of node.shares.values()) found.shares.push(share);
}

/** Returns whether nothing is left of the node. */
function removeBelow(
  node: Node,
  levels: readonly string[],
  depth: number,
  subscriber: Subscriber,
  share: string | undefined,
): boolean {
  const level = levels[depth];
  if (level === undefined) removeAt(node, subscriber, share);
  else {
    const child = node.children.get(level);
    if (child && removeBelow(child, levels, depth + 1, subscriber, share)) node.children.delete(level);
  }
  return node.children.size === 0 && node.subscriptions.size === 0 && node.shares.size === 0;
}

function removeAt(node: Node, subscriber: Subscriber, name: string | undefined): void {
  if (name === undefined) {
    node.subscriptions.delete(subscriber);
    return;
  }
  const share = node.shares.get(name);
  share?.remove(subscriber);
  if (share?.size === 0) node.shares.delete(name);
}

function merge(subscriptions: readonly Subscription[]): Route[] {
  const bySubscriber = new Map<Subscriber, Subscription[]>();
  for (const subscription of subscriptions) {
    const others = bySubscriber.get(subscription.subscriber);
    if (others) others.push(subscription);
    else bySubscriber.set(subscription.subscriber, [subscription]);
  }
  return [...bySubscriber].map(([subscriber, own]) => routeOf(subscriber, own));
}

/** The highest QoS and every identifier. */
function routeOf(subscriber: Subscriber, subscriptions: readonly Subscription[]): Route {
  const ids = subscriptions.map(({ id }) => id).filter((id) => id !== undefined);
  return {
    subscriber,
    qos: Math.max(...subscriptions.map(({ qos }) => qos)) as Qos,
    retainAsPublished: subscriptions.some(({ retainAsPublished }) => retainAsPublished),
    subscriptionIds: ids.length > 0 ? ids : undefined,
    noLocal: subscriptions.some(({ noLocal }) => noLocal),
    subscriptions,
  };
}

/** The route without the subscriptions that do not want the publisher's own messages [MQTT-3.8.3-3]. */
export function withoutNoLocal(route: Route): Route | undefined {
  const rest = route.subscriptions.filter(({ noLocal }) => !noLocal);
  return rest.length > 0 ? routeOf(route.subscriber, rest) : undefined;
}
