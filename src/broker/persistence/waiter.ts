/** Something that must not leave before what it promises is safe. */
export interface Waiter {
  /** Everything up to this change is. */
  safe(upTo: number): void;
  /** It will not be soon: the disk refuses it. */
  refused(): void;
}
