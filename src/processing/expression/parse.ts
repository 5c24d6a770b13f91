import { functions } from "./functions.ts";
import { type Expression, ExpressionError, NEGATION_PRECEDENCE, type Operator, precedence } from "./syntax.ts";

/** Longer or deeper than this no formula for a sensor is. */
const MAX_LENGTH = 500;
const MAX_DEPTH = 32;

const TOKEN =
  /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([a-z_][a-z0-9_]*)|(<=|>=|==|!=|[-+*/%^<>?:(),]))/y;

interface Token {
  readonly kind: "number" | "name" | "symbol" | "end";
  readonly text: string;
  readonly at: number;
}

/** Text -> expression. Throws ExpressionError with the place. */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_LENGTH) throw new ExpressionError(`longer than ${MAX_LENGTH} characters`, MAX_LENGTH);
  return new Parser(tokensOf(text)).whole();
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < end) {
    const from = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) {
      const at = from + (text.slice(from).match(/^\s*/)?.[0].length ?? 0);
      throw new ExpressionError(`\`${text[at]}\` has no meaning here`, at);
    }
    const [, number, name, symbol = ""] = match;
    const kind = number !== undefined ? "number" : name !== undefined ? "name" : "symbol";
    const word = number ?? name ?? symbol;
    tokens.push({ kind, text: word, at: TOKEN.lastIndex - word.length });
  }
  return [...tokens, { kind: "end", text: "", at: end }];
}

/** By precedence climbing. */
class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): Expression {
    const expression = this.#choice();
    const rest = this.#peek();
    if (rest.kind !== "end") throw new ExpressionError(`expected an operator instead of \`${rest.text}\``, rest.at);
    return expression;
  }

  #choice(): Expression {
    const when = this.#binary(0);
    if (!this.#takes("?")) return when;
    const then = this.#choice();
    this.#expect(":");
    return { kind: "choice", when, then, otherwise: this.#choice() };
  }

  #binary(above: number): Expression {
    let left = this.#unary();
    for (let operator = this.#operator(above); operator !== undefined; operator = this.#operator(above)) {
      this.#next++;
      // `^` groups from the right.
      const right = this.#binary(operator === "^" ? precedence[operator] - 1 : precedence[operator]);
      left = { kind: "binary", operator, left, right };
    }
    return left;
  }

  #operator(above: number): Operator | undefined {
    const { kind, text } = this.#peek();
    if (kind !== "symbol" || !Object.hasOwn(precedence, text)) return undefined;
    const operator = text as Operator;
    return precedence[operator] > above ? operator : undefined;
  }

  #unary(): Expression {
    if (++this.#depth > MAX_DEPTH) throw new ExpressionError("nested too deeply", this.#peek().at);
    try {
      if (this.#takes("-")) return { kind: "negated", of: this.#binary(NEGATION_PRECEDENCE - 1) };
      return this.#primary();
    } finally {
      this.#depth--;
    }
  }

  #primary(): Expression {
    const token = this.#peek();
    this.#next++;
    if (token.kind === "number") return { kind: "number", value: Number(token.text) };
    if (token.kind === "name") return this.#takes("(") ? this.#call(token) : { kind: "name", ...nameOf(token) };
    if (token.text === "(") {
      const inner = this.#choice();
      this.#expect(")");
      return inner;
    }
    const found = token.kind === "end" ? "it ends here" : `\`${token.text}\` stands here`;
    throw new ExpressionError(`expected a number, a channel or a function, but ${found}`, token.at);
  }

  #call(token: Token): Expression {
    const args: Expression[] = [];
    if (!this.#takes(")")) {
      do args.push(this.#choice());
      while (this.#takes(","));
      this.#expect(")");
    }
    const known = Object.hasOwn(functions, token.text) ? functions[token.text] : undefined;
    if (!known) {
      const names = Object.keys(functions).join(", ");
      throw new ExpressionError(`there is no function \`${token.text}\`; there is ${names}`, token.at);
    }
    const { takes } = known;
    if (args.length < takes.min || args.length > takes.max)
      throw new ExpressionError(`\`${token.text}\` is called as ${known.usage}`, token.at);
    return { kind: "call", name: token.text, args };
  }

  #peek(): Token {
    // The last one is the end, which is never passed.
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] as Token;
  }

  #takes(symbol: string): boolean {
    const { kind, text } = this.#peek();
    if (kind !== "symbol" || text !== symbol) return false;
    this.#next++;
    return true;
  }

  #expect(symbol: string): void {
    const { text, at } = this.#peek();
    if (this.#takes(symbol)) return;
    throw new ExpressionError(`expected \`${symbol}\`${text ? ` instead of \`${text}\`` : " before the end"}`, at);
  }
}

function nameOf({ text, at }: Token): { readonly name: string; readonly at: number } {
  return { name: text, at };
}
