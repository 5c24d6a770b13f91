/** Reason codes of MQTT 5.0, section 2.4, by the names the specification gives them. */
export const reason = {
  success: 0x00,
  grantedQos1: 0x01,
  grantedQos2: 0x02,
  disconnectWithWill: 0x04,
  noMatchingSubscribers: 0x10,
  noSubscriptionExisted: 0x11,
  continueAuthentication: 0x18,
  reAuthenticate: 0x19,
  unspecifiedError: 0x80,
  malformedPacket: 0x81,
  protocolError: 0x82,
  implementationSpecificError: 0x83,
  unsupportedProtocolVersion: 0x84,
  clientIdentifierNotValid: 0x85,
  badUserNameOrPassword: 0x86,
  notAuthorized: 0x87,
  serverUnavailable: 0x88,
  serverBusy: 0x89,
  banned: 0x8a,
  serverShuttingDown: 0x8b,
  badAuthenticationMethod: 0x8c,
  keepAliveTimeout: 0x8d,
  sessionTakenOver: 0x8e,
  topicFilterInvalid: 0x8f,
  topicNameInvalid: 0x90,
  packetIdentifierInUse: 0x91,
  packetIdentifierNotFound: 0x92,
  receiveMaximumExceeded: 0x93,
  topicAliasInvalid: 0x94,
  packetTooLarge: 0x95,
  messageRateTooHigh: 0x96,
  quotaExceeded: 0x97,
  administrativeAction: 0x98,
  payloadFormatInvalid: 0x99,
  retainNotSupported: 0x9a,
  qosNotSupported: 0x9b,
  useAnotherServer: 0x9c,
  serverMoved: 0x9d,
  sharedSubscriptionsNotSupported: 0x9e,
  connectionRateExceeded: 0x9f,
  maximumConnectTime: 0xa0,
  subscriptionIdentifiersNotSupported: 0xa1,
  wildcardSubscriptionsNotSupported: 0xa2,
} as const;

/** What a CONNACK of MQTT 3.1.1 says instead (section 3.2.2.3); it has no word for anything else. */
export function connackCodeV4(code: number): number | undefined {
  switch (code) {
    case reason.success:
      return 0;
    case reason.unsupportedProtocolVersion:
      return 1;
    case reason.clientIdentifierNotValid:
      return 2;
    case reason.serverUnavailable:
    case reason.serverBusy:
    case reason.quotaExceeded:
      return 3;
    case reason.badUserNameOrPassword:
      return 4;
    case reason.notAuthorized:
    case reason.banned:
      return 5;
    default:
      return undefined;
  }
}

/** The peer broke the protocol: the connection ends with this reason code. */
export class ProtocolFault extends Error {
  override readonly name = "ProtocolFault";
  readonly reason: number;

  constructor(code: number, message: string) {
    super(message);
    this.reason = code;
  }
}

/**
 * One that Mosquitto ends the connection for without a packet, which the specification allows (5.0: 4.13.1, SHOULD and
 * MAY). Suites that compare bytes expect the same.
 */
export class UnansweredFault extends ProtocolFault {}

export function malformed(message: string): ProtocolFault {
  return new ProtocolFault(reason.malformedPacket, message);
}

export function protocolError(message: string): ProtocolFault {
  return new ProtocolFault(reason.protocolError, message);
}

export function unanswered(message: string): ProtocolFault {
  return new UnansweredFault(reason.malformedPacket, message);
}
