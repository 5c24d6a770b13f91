/**
 * Where everything is published (design: Topics and payloads). One place spells a topic; everything else asks here.
 */
export interface Topics {
  readonly status: string;
  readonly info: string;
  readonly health: string;
  readonly gaps: string;
  /** Prefix of everything this gateway publishes, with its slash: `fieldpost/greenhouse/`. */
  readonly root: string;
  device(id: string): DeviceTopics;
  request(name: string): string;
  response(name: string): string;
  /** A consumer's receipts. */
  ack(consumer: string): string;
}

export interface DeviceTopics {
  readonly status: string;
  readonly state: string;
  readonly config: string;
  readonly readings: string;
  /** Commands for the device's only output. */
  readonly set: string;
  channelSet(channel: string): string;
  /** What happens at a button or a knob. */
  event(channel: string): string;
}

export function topicsOf(baseTopic: string, gatewayId: string): Topics {
  const root = `${baseTopic}/${gatewayId}/`;
  return {
    root,
    status: `${root}status`,
    info: `${root}info`,
    health: `${root}health`,
    gaps: `${root}gaps`,
    device: (id) => ({
      status: `${root}${id}/status`,
      state: `${root}${id}/state`,
      config: `${root}${id}/config`,
      readings: `${root}${id}/readings`,
      set: `${root}${id}/set`,
      channelSet: (channel) => `${root}${id}/${channel}/set`,
      event: (channel) => `${root}${id}/${channel}/event`,
    }),
    request: (name) => `${root}request/${name}`,
    response: (name) => `${root}response/${name}`,
    ack: (consumer) => `${root}ack/${consumer}`,
  };
}

/** Home Assistant's discovery topic of a device; `gateway` is the gateway's own. */
export function discoveryTopic(prefix: string, gatewayId: string, deviceId: string): string {
  return `${prefix}/device/${gatewayId}/${deviceId}/config`;
}

/** Could this be one of `discoveryTopic`'s? */
export function isDiscoveryTopic(topic: string): boolean {
  return /^.+\/device\/[^/]+\/[^/]+\/config$/.test(topic);
}

export interface Message {
  readonly topic: string;
  readonly payload: string;
}

export interface RetainedMessage extends Message {
  /** Payloads to publish on the topic before this one, in order. */
  readonly before?: readonly string[];
  /** Retained on other topics, whose place it takes: published ahead of it, and cleared once it is out. */
  readonly replaces?: readonly Message[];
  /** Whom the topic belongs to in the ledger; absent for the gateway itself. */
  readonly device?: string;
}
