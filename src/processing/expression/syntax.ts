/** An arithmetic expression, as far as it can be said in a configuration. */
export type Expression =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "name"; readonly name: string; readonly at: number }
  | { readonly kind: "negated"; readonly of: Expression }
  | { readonly kind: "binary"; readonly operator: Operator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: "choice"; readonly when: Expression; readonly then: Expression; readonly otherwise: Expression }
  | { readonly kind: "call"; readonly name: string; readonly args: readonly Expression[] };

/** How tightly each operator binds. A comparison is 1 where it holds, else 0. */
export const precedence = {
  "==": 1,
  "!=": 1,
  "<": 2,
  "<=": 2,
  ">": 2,
  ">=": 2,
  "+": 3,
  "-": 3,
  "*": 4,
  "/": 4,
  "%": 4,
  "^": 6,
} as const;

export type Operator = keyof typeof precedence;

/** Between `*` and `^`, so that -2 ^ 2 is -4. */
export const NEGATION_PRECEDENCE = 5;

/** What is wrong with an expression, and from which character on (counted from 0). */
export class ExpressionError extends Error {
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** The names of values that it needs, each once. */
export function namesIn(expression: Expression): string[] {
  return [...new Set(allNames(expression).map(({ name }) => name))];
}

/** Every place where it names a value. */
export function allNames(expression: Expression): { readonly name: string; readonly at: number }[] {
  switch (expression.kind) {
    case "number":
      return [];
    case "name":
      return [expression];
    case "negated":
      return allNames(expression.of);
    case "binary":
      return [expression.left, expression.right].flatMap(allNames);
    case "choice":
      return [expression.when, expression.then, expression.otherwise].flatMap(allNames);
    case "call":
      return expression.args.flatMap(allNames);
  }
}
