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

/** Runs what is not done yet, in order. Rejects with the first failure; what was reported before it stays done. */
export async function runSteps(steps: readonly Step[], report: (step: StepReport) => void): Promise<void> {
  for (const step of steps) {
    const already = await step.done();
    if (!already) {
      await step.run();
      if (!(await step.done())) throw new Error(`"${step.title}" ran and is not done`);
    }
    report({ title: step.title, outcome: already ? "already" : "done" });
  }
}
