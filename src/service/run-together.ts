/** A long-running thing: resolves soon after the signal, rejects when it cannot go on. */
export type Task = (signal: AbortSignal) => Promise<void>;

/**
 * Runs tasks side by side. When one rejects, or the signal comes, all are told to stop; resolves or rejects only after
 * the last one ended, with the first error.
 */
export async function runTogether(signal: AbortSignal, tasks: readonly Task[]): Promise<void> {
  const group = new AbortController();
  const stop = () => group.abort(signal.reason);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  let failed: { readonly error: unknown } | undefined;
  const guarded = async (task: Task): Promise<void> => {
    try {
      await task(group.signal);
    } catch (error) {
      if (group.signal.aborted && error === group.signal.reason) return;
      failed ??= { error };
      group.abort(error);
    }
  };
  await Promise.all(tasks.map(guarded));
  signal.removeEventListener("abort", stop);
  if (failed) throw failed.error;
}
