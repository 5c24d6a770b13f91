import { functions } from "./functions.ts";
import { type Expression, namesIn, type Operator } from "./syntax.ts";

const operators: Readonly<Record<Operator, (left: number, right: number) => number>> = {
  "+": (left, right) => left + right,
  "-": (left, right) => left - right,
  "*": (left, right) => left * right,
  "/": (left, right) => left / right,
  "%": (left, right) => left % right,
  "^": (left, right) => left ** right,
  "<": (left, right) => Number(left < right),
  "<=": (left, right) => Number(left <= right),
  ">": (left, right) => Number(left > right),
  ">=": (left, right) => Number(left >= right),
  "==": (left, right) => Number(left === right),
  "!=": (left, right) => Number(left !== right),
};

/** Its value with these names; undefined where one is missing or where there is no finite result. */
export function evaluate(expression: Expression, values: ReadonlyMap<string, number>): number | undefined {
  if (namesIn(expression).some((name) => !values.has(name))) return undefined;
  const value = result(expression, values);
  return Number.isFinite(value) ? value : undefined;
}

function result(expression: Expression, values: ReadonlyMap<string, number>): number {
  switch (expression.kind) {
    case "number":
      return expression.value;
    case "name":
      return values.get(expression.name) ?? Number.NaN;
    case "negated":
      return -result(expression.of, values);
    case "binary":
      return operators[expression.operator](result(expression.left, values), result(expression.right, values));
    case "choice": {
      const when = result(expression.when, values);
      if (Number.isNaN(when)) return when;
      return result(when !== 0 ? expression.then : expression.otherwise, values);
    }
    case "call": {
      const args = expression.args.map((arg) => result(arg, values));
      return functions[expression.name]?.call(...args) ?? Number.NaN;
    }
  }
}
