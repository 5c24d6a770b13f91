import type { Expression } from "./expression/syntax.ts";

/** What the configuration asks of one step. Durations in milliseconds of the monotonic clock. */
export type StepSettings =
  | {
      readonly step: "calibrate";
      readonly scale: number;
      readonly offset: number;
      readonly points?: readonly Point[];
      /** The offset may be changed while it runs, by up to so much either way. */
      readonly adjustable?: number;
    }
  | { readonly step: "median"; readonly count: number }
  | { readonly step: "mean"; readonly count: number }
  | { readonly step: "exponential"; readonly factor: number }
  | { readonly step: "exponential"; readonly timeConstantMs: number }
  | { readonly step: "round"; readonly decimals: number }
  | { readonly step: "clamp"; readonly min?: number; readonly max?: number }
  | { readonly step: "range"; readonly min?: number; readonly max?: number }
  | { readonly step: "spike"; readonly change: number; readonly confirm: number }
  | { readonly step: "deadband"; readonly change: number; readonly atLeastEveryMs?: number }
  | { readonly step: "throttle"; readonly everyMs: number }
  | { readonly step: "aggregate"; readonly windowMs: number; readonly give: readonly Statistic[] }
  | { readonly step: "derive"; readonly per: RateUnit; readonly counter: boolean }
  | { readonly step: "formula"; readonly expression: Expression };

export type StepName = StepSettings["step"];
export type SettingsOf<Name extends StepName> = Extract<StepSettings, { step: Name }>;

/** What the sensor says, and what is true then. */
export type Point = readonly [raw: number, value: number];

export const statistics = ["mean", "min", "max", "count"] as const;
export type Statistic = (typeof statistics)[number];

export const rateUnits = { s: 1000, min: 60_000, h: 3_600_000 } as const;
export type RateUnit = keyof typeof rateUnits;

export interface StepInput {
  readonly value: number;
  /** Monotonic, of the reading. */
  readonly atMs: number;
  /** The reading's channels, as they stand before this channel's steps. */
  readonly values: ReadonlyMap<string, number>;
}

export interface StepResult<State> {
  readonly state: State;
  /** Absent: nothing goes on from here this time. */
  readonly value?: number;
  /** Further values, by the suffix of the channel that they make: `{ min: 3 }` of `level` is `level_min`. */
  readonly extra?: Readonly<Partial<Record<Statistic, number>>>;
  /** The value was thrown away as wrong, which somebody should hear of. */
  readonly rejected?: true;
}

/** One kind of step: a pure function of its state and a value. States are JSON, as they outlive the process. */
export interface Step<Settings, State> {
  readonly initial: State;
  apply(settings: Settings, state: State, input: StepInput): StepResult<State>;
  /** The state for another boot, whose monotonic clock has nothing to do with the last one; by default as it is. */
  afterBoot?(state: State): State;
}
