import type { BrokerLimits } from "./limits.ts";

export interface BrokerOptions {
  readonly listeners: readonly ListenerOptions[];
  /** What is left out keeps its default. */
  readonly limits?: Partial<BrokerLimits>;
  /** Begins the client ids that the broker assigns; `auto-` by default. */
  readonly autoIdPrefix?: string;
  /** Who may connect where a listener neither is anonymous nor has an identity; nobody by default. */
  readonly authenticate?: Authenticate;
  /** Asked at publish, subscribe (with the filter) and delivery; everything is allowed by default. */
  readonly authorise?: Authorise;
}

export type ListenerOptions = TcpListenerOptions | UnixListenerOptions;

interface AnyListenerOptions {
  /** Default: true without `authenticate`. */
  readonly allowAnonymous?: boolean;
}

export interface TcpListenerOptions extends AnyListenerOptions {
  /** Loopback only, as yet. */
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
}

export interface UnixListenerOptions extends AnyListenerOptions {
  readonly path: string;
  /** Of the socket file; 0o660 by default. */
  readonly mode?: number;
  /** Whoever may open this socket is this user: the gateway's own way in. */
  readonly identity?: string;
}

/** What a client says about itself. */
export interface ConnectInfo {
  readonly clientId: string;
  readonly username?: string;
  readonly password?: Buffer;
  /** IP address, or the path of the Unix socket. */
  readonly address: string;
}

export interface Identity {
  readonly clientId: string;
  readonly username?: string;
}

/** `refused` is a reason code of CONNACK, such as 0x86. */
export type AuthResult = { readonly ok: true; readonly username?: string } | { readonly refused: number };

export type Authenticate = (info: ConnectInfo) => AuthResult | Promise<AuthResult>;

export type Authorise = (who: Identity, access: "read" | "write", topic: string) => boolean;
