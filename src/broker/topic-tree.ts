import type { Qos } from "./codec/packets.ts";
import type { Message } from "./message.ts";
import type { Topic } from "./topic-table.ts";

/** Who gets messages. */
export interface Subscriber {
  deliver(message: Message, qos: Qos, retain: boolean, subscriptionIds: readonly number[] | undefined): void;
  mayRead(topic: string): boolean;
}

export interface Subscription {
  readonly subscriber: Subscriber;
  readonly filter: string;
  readonly qos: Qos;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly id?: number;
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
    let node = this.#root;
    for (const level of subscription.filter.split("/")) {
      let child = node.children.get(level);
      if (child === undefined) {
        child = newNode();
        node.children.set(level, child);
      }
      node = child;
    }
    node.subscriptions.set(subscription.subscriber, subscription);
    this.#version++;
  }

  remove(subscription: Subscription): void {
    removeBelow(this.#root, subscription.filter.split("/"), 0, subscription.subscriber);
    this.#version++;
  }

  route(topic: Topic): readonly Route[] {
    if (topic.route !== undefined && topic.routeVersion === this.#version) return topic.route;
    const route = merge(this.match(topic.name));
    if (route.length <= maxRememberedRoutes) {
      topic.route = route;
      topic.routeVersion = this.#version;
    }
    return route;
  }

  match(topic: string): Subscription[] {
    const found: Subscription[] = [];
    collect(this.#root, topic.split("/"), 0, found);
    return found;
  }
}

/** A wider fan-out costs more to deliver than to find. */
const maxRememberedRoutes = 256;

interface Node {
  readonly children: Map<string, Node>;
  readonly subscriptions: Map<Subscriber, Subscription>;
}

function newNode(): Node {
  return { children: new Map(), subscriptions: new Map() };
}

/** Wildcards in the first level leave out topics that begin with `$` [MQTT-4.7.2-1]. */
function collect(node: Node, levels: readonly string[], depth: number, found: Subscription[]): void {
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

function append(found: Subscription[], node: Node | undefined): void {
  if (node) for (const subscription of node.subscriptions.values()) found.push(subscription);
}

/** Returns whether nothing is left of the node. */
function removeBelow(node: Node, levels: readonly string[], depth: number, subscriber: Subscriber): boolean {
  const level = levels[depth];
  if (level === undefined) node.subscriptions.delete(subscriber);
  else {
    const child = node.children.get(level);
    if (child && removeBelow(child, levels, depth + 1, subscriber)) node.children.delete(level);
  }
  return node.children.size === 0 && node.subscriptions.size === 0;
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
