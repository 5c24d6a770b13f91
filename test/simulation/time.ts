interface Task {
  readonly dueMs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Simulated time: what is due runs in the order of its time, and lets all that follows from it happen before time goes on. */
export class Time {
  nowMs = 0;
  /** A heap by time, then by order. */
  readonly #tasks: Task[] = [];
  #order = 0;

  /** Runs `work` in `ms`, unless the returned function is called before. */
  after(ms: number, work: () => void): () => void {
    const task: Task = { dueMs: this.nowMs + Math.max(0, ms), order: this.#order++, run: work };
    this.#push(task);
    return () => {
      task.run = undefined;
    };
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.nowMs + ms;
    await settle();
    for (let next = this.#tasks[0]; next && next.dueMs <= endMs; next = this.#tasks[0]) {
      if (this.#runAll(next.dueMs)) await settle();
    }
    this.nowMs = endMs;
  }

  /** Lets time pass until it is so; false when it did not come within `ms`. */
  async passUntil(condition: () => boolean, ms: number, stepMs = 500): Promise<boolean> {
    for (let passedMs = 0; passedMs < ms; passedMs += stepMs) {
      if (condition()) return true;
      await this.pass(stepMs);
    }
    return condition();
  }

  /** Everything that is due at one moment; what comes of it for the same moment is for the next time. */
  #runAll(dueMs: number): boolean {
    const due: Task[] = [];
    for (let next = this.#tasks[0]; next && next.dueMs === dueMs; next = this.#tasks[0]) {
      this.#pop();
      due.push(next);
    }
    const live = due.filter(({ run }) => run);
    if (live.length > 0) this.nowMs = dueMs;
    // One of them may call off another.
    for (const task of live) task.run?.();
    return live.length > 0;
  }

  #push(task: Task): void {
    const tasks = this.#tasks;
    let at = tasks.push(task) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(task, tasks[parent]!)) break;
      tasks[at] = tasks[parent]!;
      at = parent;
    }
    tasks[at] = task;
  }

  #pop(): void {
    const tasks = this.#tasks;
    const last = tasks.pop()!;
    if (tasks.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= tasks.length) break;
      const right = left + 1;
      const child = right < tasks.length && before(tasks[right]!, tasks[left]!) ? right : left;
      if (!before(tasks[child]!, last)) break;
      tasks[at] = tasks[child]!;
      at = child;
    }
    tasks[at] = last;
  }
}

function before(one: Task, other: Task): boolean {
  return one.dueMs < other.dueMs || (one.dueMs === other.dueMs && one.order < other.order);
}

/** All that follows by itself: microtasks run to their end before the loop turns. */
function settle(): Promise<void> {
  return new Promise(setImmediate);
}
