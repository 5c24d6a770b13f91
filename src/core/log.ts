/**
 * One line a transition: a constant message and varying fields. The adapter decides where it goes and in which form;
 * the parts of the gateway only see this.
 */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines carry the part they come from: `uplink`, `store`, a device's id. */
  part(name: string): Log;
}

export type LogFields = Readonly<Record<string, unknown>>;
