import { matches } from "./paths.ts";
import type { Finding } from "./problems.ts";

/** Valid configuration whose machinery is not there yet. Each version takes lines out of this table. */
interface Inactive {
  /** As in `matches`. */
  readonly path: string;
  /** What is without effect for now. */
  readonly what: string;
  /** Only these values ask for it. */
  readonly when?: (value: unknown) => boolean;
}

const inactive: readonly Inactive[] = [
  { path: "web", what: "the dashboard" },
  { path: "devices.*.qos.commands", what: "commands of one device (`mqtt.qos.commands` holds for all)" },
];

/** What of this configuration is understood and without effect for now. */
export function inactiveFindings(tree: unknown): Finding[] {
  return inactive.flatMap(({ path: pattern, what, when }) =>
    matches(tree, pattern)
      .filter(({ value }) => when?.(value) ?? true)
      .map(
        ({ path }): Finding => ({
          severity: "inactive",
          message: `not active yet: ${what}`,
          at: { path, part: "key" },
        }),
      ),
  );
}
