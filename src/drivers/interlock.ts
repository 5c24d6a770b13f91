/** An output as the others of its group see it. */
export interface Interlocked {
  readonly isAway: boolean;
  /** Another wants to go away from its safe state: come back. */
  release(): void;
  /** Somebody of the group has changed. */
  wake(): void;
}

/** Groups of outputs of which one at a time may be away from its safe state: a motor's two directions, heating and cooling. */
export class Interlocks {
  readonly #groups = new Map<string, Set<Interlocked>>();

  /** The returned function leaves the group. */
  join(group: string, member: Interlocked): () => void {
    const members = this.#groups.get(group) ?? new Set();
    this.#groups.set(group, members.add(member));
    return () => {
      members.delete(member);
      for (const other of members) other.wake();
    };
  }

  isTaken(group: string, by: Interlocked): boolean {
    return this.#others(group, by).some(({ isAway }) => isAway);
  }

  claim(group: string, by: Interlocked): void {
    for (const other of this.#others(group, by)) other.release();
  }

  changed(group: string, by: Interlocked): void {
    for (const other of this.#others(group, by)) other.wake();
  }

  #others(group: string, by: Interlocked): Interlocked[] {
    return [...(this.#groups.get(group) ?? [])].filter((member) => member !== by);
  }
}
