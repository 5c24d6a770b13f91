/**
 * Sends the newest of each key: while one is under way, however many more become one. `send` is called with the key
 * when its turn comes, so it sees the world as it is then; where it rejects, the key is dropped and the error goes to
 * `failed`.
 */
export class Latest {
  readonly #dirty = new Map<string, () => Promise<void>>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #failed: (error: unknown) => void;

  constructor(failed: (error: unknown) => void) {
    this.#failed = failed;
  }

  /** Resolves when nothing of this key is left to send. Never rejects. */
  put(key: string, send: () => Promise<void>): Promise<void> {
    this.#dirty.set(key, send);
    let running = this.#running.get(key);
    if (!running) {
      running = this.#run(key);
      this.#running.set(key, running);
    }
    return running;
  }

  /** Resolves when what is under way now has ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running.values());
  }

  async #run(key: string): Promise<void> {
    try {
      for (let send = this.#take(key); send; send = this.#take(key)) await send();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#dirty.delete(key);
      this.#running.delete(key);
    }
  }

  #take(key: string): (() => Promise<void>) | undefined {
    const send = this.#dirty.get(key);
    this.#dirty.delete(key);
    return send;
  }
}
