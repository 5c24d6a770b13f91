import type { Access } from "./access/acl.ts";
import type { Qos } from "./codec/packets.ts";
import type { BrokerLimits } from "./limits.ts";
import type { PersistenceOptions } from "./persistence/journal.ts";

export interface BrokerOptions {
  readonly listeners: readonly ListenerOptions[];
  /** What is left out keeps its default. */
  readonly limits?: Partial<BrokerLimits>;
  /** How often `$SYS/broker/...` is published; not at all by default. */
  readonly sysIntervalMs?: number;
  /** Name and version, for `$SYS/broker/version`. */
  readonly product?: string;
  /** Begins the client ids that the broker assigns; `auto-` by default. */
  readonly autoIdPrefix?: string;
  /** Who may connect where a listener has neither a password file nor an identity and is not anonymous; nobody by default. */
  readonly authenticate?: Authenticate;
  /** Asked at publish, subscribe (with the filter) and delivery; by default the listeners' ACL files say. */
  readonly authorise?: Authorise;
  /** Keeps sessions, their messages and retained messages over a restart; without, nothing is kept. */
  readonly persistence?: PersistenceOptions;
}

export type ListenerOptions = TcpListenerOptions | UnixListenerOptions;

interface AnyListenerOptions {
  /** `mqtt` by default. */
  readonly protocol?: "mqtt" | "websocket";
  /** Web pages that may connect over WebSocket; by default those of the same host. */
  readonly origins?: readonly string[];
  readonly tls?: ListenerTls;
  /** Connections at a time; `limits.connectionsPerListener` by default. */
  readonly maxConnections?: number;
  /** Highest QoS offered; 2 by default. */
  readonly maxQos?: Qos;
  /** Clients without a user name. Default: true without `authenticate` and `passwordFile`. */
  readonly allowAnonymous?: boolean;
  /** Put before every topic of its clients; see `MountPoint`. */
  readonly mountPoint?: string;
  /** Users and passwords in Mosquitto's format. */
  readonly passwordFile?: string;
  /** Who may use which topics, in Mosquitto's format; everyone all of them by default. */
  readonly aclFile?: string;
  /**
   * Its clients keep a record of their own: neither their sessions nor what they retain outlives the broker. What they
   * publish to others' persistent sessions does.
   */
  readonly volatile?: boolean;
}

export interface TcpListenerOptions extends AnyListenerOptions {
  /** Beyond loopback only with authentication and TLS, or `insecure`. */
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /**
   * Every connection begins with a PROXY protocol v2 header, before TLS: what it says is the client's address. Only the
   * proxy may be able to reach such a listener, for anyone else could say anything.
   */
  readonly proxyProtocol?: boolean;
  /** Listens beyond loopback whatever is missing. */
  readonly insecure?: boolean;
}

/** PEM files. */
export interface ListenerTls {
  readonly certFile: string;
  readonly keyFile: string;
  /** What clients' certificates must descend from; without it they are not asked for one. */
  readonly caFile?: string;
  readonly crlFile?: string;
  /** A certificate then is enough to be let in where there is no password file. */
  readonly requireCertificate?: boolean;
  /** The common name of the certificate is the user name, and no password is asked for. */
  readonly identityAsUsername?: boolean;
  /** The same with the whole subject (RFC 2253). */
  readonly subjectAsUsername?: boolean;
  /** `1.2` by default. */
  readonly minVersion?: "1.2" | "1.3";
}

export interface UnixListenerOptions extends AnyListenerOptions {
  readonly path: string;
  /** Of the socket file; 0o660 by default. */
  readonly mode?: number;
  /** Whoever may open this socket is this user: the gateway's own way in. Nobody else takes its sessions over. */
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
  /** The rules it is under: those of the listener it came in by. */
  readonly aclFile: string | undefined;
}

/** As the log shows it. */
export function nameOf({ clientId, username }: Identity): { clientId: string; username?: string } {
  return { clientId: shorten(clientId), ...(username !== undefined && { username: shorten(username) }) };
}

/** Either may have 65,535 bytes. */
function shorten(name: string): string {
  return name.length > maxShown ? `${name.slice(0, maxShown)}…` : name;
}

const maxShown = 256;

/** `refused` is a reason code of CONNACK, such as 0x86. */
export type AuthResult = { readonly ok: true; readonly username?: string } | { readonly refused: number };

export type Authenticate = (info: ConnectInfo) => AuthResult | Promise<AuthResult>;

export type Authorise = (who: Identity, access: Access, topic: string) => boolean;
