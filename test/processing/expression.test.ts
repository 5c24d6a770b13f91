import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { evaluate } from "../../src/processing/expression/evaluate.ts";
import { parseExpression } from "../../src/processing/expression/parse.ts";
import { ExpressionError, namesIn } from "../../src/processing/expression/syntax.ts";

const evaluated = (text: string, values: Record<string, number> = {}) =>
  evaluate(parseExpression(text), new Map(Object.entries(values)));

function mistakeIn(text: string): [message: string, at: number] {
  try {
    parseExpression(text);
  } catch (error) {
    if (error instanceof ExpressionError) return [error.message, error.at];
    throw error;
  }
  throw new Error(`${text} was taken`);
}

describe("a formula", () => {
  test.each([
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["8 - 4 - 2", 2],
    ["2 ^ 3 ^ 2", 512],
    ["-2 ^ 2", -4],
    ["2 ^ -1", 0.5],
    ["--3", 3],
    ["7 % 4 / 2", 1.5],
    [".5e1 + 1.", 6],
    ["1 < 2 == 1", 1],
    ["3 >= 4 ? 10 : 2 > 1 ? 20 : 30", 20],
    ["max(1, min(5, 3), clamp(9, 0, 2))", 3],
    ["sqrt(abs(-16)) + ln(exp(2)) + log10(1000)", 9],
    ["atan2(0, 1) + sin(0) + cos(0)", 1],
  ])("%s is %d", (text, expected) => {
    expect(evaluated(text)).toBeCloseTo(expected, 12);
  });

  test("takes values by name", () => {
    expect(evaluated("value * 1.8 + offset_f", { value: 100, offset_f: 32 })).toBe(212);
    expect(namesIn(parseExpression("a + max(b, a) * -c"))).toEqual(["a", "b", "c"]);
  });

  test("has no value where a name has none, or where the result is no finite number", () => {
    for (const text of ["missing + 1", "missing > 1", "1 / 0", "ln(-1)", "sqrt(-1)", "10 ^ 400"])
      expect(evaluated(text)).toBeUndefined();
  });

  test.each([
    ["1 +", "expected a number, a channel or a function, but it ends here", 3],
    ["1 2", "expected an operator instead of `2`", 2],
    ["  a $ b", "`$` has no meaning here", 4],
    ["(1", "expected `)` before the end", 2],
    ["1 ? 2", "expected `:` before the end", 5],
    ["f(1)", "there is no function `f`", 0],
    ["dew_point(1)", "`dew_point` is called as dew_point(temperature, humidity)", 0],
    ["constructor(1)", "there is no function `constructor`", 0],
    ["", "expected a number", 0],
    ["a.b", "`.` has no meaning here", 1],
    [`${"(".repeat(40)}1${")".repeat(40)}`, "nested too deeply", 32],
    [`${"-".repeat(400)}1`, "nested too deeply", 32],
    ["1+".repeat(300), "longer than 500 characters", 500],
  ])("%s is refused with its place", (text, message, at) => {
    const [said, where] = mistakeIn(text);
    expect(said).toContain(message);
    expect(where).toBe(at);
  });

  test("of any text is a formula or an ExpressionError within the text", () => {
    const word = fc.constantFrom(
      "1",
      "2.5",
      "a",
      "max",
      "(",
      ")",
      ",",
      "+",
      "-",
      "^",
      "?",
      ":",
      "<",
      " ",
      "#",
      "toString",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join("")),
        ),
        (text) => {
          try {
            const value = evaluate(parseExpression(text), new Map([["a", 3]]));
            expect(value === undefined || Number.isFinite(value)).toBe(true);
          } catch (error) {
            if (!(error instanceof ExpressionError)) throw error;
            expect(error.at).toBeGreaterThanOrEqual(0);
            expect(error.at).toBeLessThanOrEqual(text.length);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("the ready-made formulas", () => {
  // Tables of saturated air (WMO-No. 8), psychrometric tables, and the standard atmosphere: 8.5 °C, 898.75 hPa at 1000 m.
  test.each([
    ["dew_point(20, 100)", 20],
    ["dew_point(25, 50)", 13.86],
    ["dew_point(-5, 80)", -7.88],
    ["absolute_humidity(20, 100)", 17.28],
    ["absolute_humidity(30, 50)", 15.17],
    ["absolute_humidity(0, 100)", 4.85],
    ["vapour_pressure_deficit(25, 60)", 1.267],
    ["sea_level_pressure(1000, 15, 0)", 1000],
    ["sea_level_pressure(898.75, 8.5, 1000)", 1013.25],
  ])("%s is %d within half a percent", (text, expected) => {
    const value = evaluated(text) ?? Number.NaN;
    expect(Math.abs(value - expected)).toBeLessThan(Math.abs(expected) * 0.005);
  });

  test("there is no dew point of dry air", () => {
    expect(evaluated("dew_point(20, 0)")).toBeUndefined();
  });
});
