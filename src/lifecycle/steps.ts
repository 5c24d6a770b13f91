/**
 * Irreversible work is a list of named steps, each repeatable and verified: interrupted anywhere, it is finished by
 * running the list again.
 */
export interface Step {
  readonly title: string;
  /** Does the world already look as if this step had run? */
  done(): Promise<boolean>;
  run(): Promise<void>;
}

export interface StepReport {
  readonly title: string;
  /** `already`: there was nothing left to do. */
  readonly outcome: "done" | "already";
}

export interface StepEvents {
  begins?(title: string): void;
  ended(step: StepReport): void;
}

/** Runs what is not done yet, in order. Rejects with the first failure; what was reported before it stays done. */
export async function runSteps(steps: readonly Step[], { begins, ended }: StepEvents): Promise<void> {
  for (const step of steps) {
    const already = await step.done();
    if (!already) {
      begins?.(step.title);
      await step.run();
      if (!(await step.done())) throw new Error(`"${step.title}" ran and is not done`);
    }
    ended({ title: step.title, outcome: already ? "already" : "done" });
  }
}
