/** Requests for a reload, from whoever asks (SIGHUP) to whoever listens; one that comes while nobody listens waits. */
export class ReloadRequests {
  readonly #listeners = new Set<() => void>();
  #waiting = false;

  request(): void {
    this.#waiting = this.#listeners.size === 0;
    for (const listener of this.#listeners) listener();
  }

  /** Calls back at each request, at once for one that waited, until the returned function is called. */
  onRequest(listener: () => void): () => void {
    this.#listeners.add(listener);
    if (this.#waiting) {
      this.#waiting = false;
      listener();
    }
    return () => this.#listeners.delete(listener);
  }
}
