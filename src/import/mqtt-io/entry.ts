import { isMapping } from "../../config/paths.ts";

const MAX_SHOWN = 64;

/** Text of the other file as it may stand in a note: one line, and not without end. */
export function shown(value: unknown): string {
  const text = String(value).replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ");
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}

/**
 * A mapping of the other file. It remembers what was taken, so that `finish` can tell of everything that was not: nothing
 * is left out in silence.
 */
export class Entry {
  readonly where: string;
  readonly notes: string[];
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #taken = new Set<string>();

  constructor(value: unknown, where: string, notes: string[]) {
    this.where = where;
    this.notes = notes;
    this.#values = isMapping(value) ? value : {};
    if (value !== undefined && value !== null && !isMapping(value))
      this.note("expected a mapping here; it is left out");
  }

  has(key: string): boolean {
    return Object.hasOwn(this.#values, key) && this.#values[key] !== null && this.#values[key] !== undefined;
  }

  /** Text, or what is written as text: a name may be a number. Undefined for an empty one. */
  text(key: string): string | undefined {
    const value = this.#take(key);
    if (value === undefined || value === "") return undefined;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
    return this.#refuse(key, "expected text");
  }

  number(key: string): number | undefined {
    const value = this.#take(key);
    if (value === undefined) return undefined;
    const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
    return typeof number === "number" && Number.isFinite(number) ? number : this.#refuse(key, "expected a number");
  }

  boolean(key: string): boolean | undefined {
    const value = this.#take(key);
    if (value === undefined || typeof value === "boolean") return value;
    return this.#refuse(key, "expected yes or no");
  }

  /** One text, or a list of them. */
  texts(key: string): readonly string[] {
    const value = this.#take(key);
    return (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);
  }

  list(key: string): readonly unknown[] {
    const value = this.#take(key);
    if (value === undefined) return [];
    return Array.isArray(value) ? value : (this.#refuse(key, "expected a list") ?? []);
  }

  /** The mapping below, empty where there is none. */
  section(key: string): Entry {
    return new Entry(this.#take(key), this.#placeOf(key), this.notes);
  }

  /** The mappings of a list, each with its name in its place. */
  entries(key: string, notesOf: () => string[] = () => this.notes): Entry[] {
    const place = this.#placeOf(key);
    return this.list(key).map((value, index) => {
      const name = isMapping(value) && value.name !== undefined ? ` (${shown(value.name)})` : "";
      return new Entry(value, `${place}[${index}]${name}`, notesOf());
    });
  }

  /** One value says what is so here anyway. */
  only(key: string, value: string, reason: string): void {
    const written = this.text(key);
    if (written !== undefined && written !== value) this.note(reason, key);
  }

  /** These mean nothing here; where they are written, that is said. */
  without(reasons: Readonly<Record<string, string>>): void {
    for (const [key, reason] of Object.entries(reasons)) {
      if (this.has(key)) this.note(reason, key);
      this.#taken.add(key);
    }
  }

  note(message: string, key?: string): void {
    this.notes.push(`${key === undefined ? this.where : this.#placeOf(key)}: ${message}`);
  }

  /** Tells of every key that nobody asked for. */
  finish(): void {
    for (const key of Object.keys(this.#values)) {
      if (!this.#taken.has(key)) this.note("not carried over: fieldpost has nothing like it", key);
    }
  }

  #placeOf(key: string): string {
    return this.where === "" ? shown(key) : `${this.where}.${shown(key)}`;
  }

  #take(key: string): unknown {
    this.#taken.add(key);
    return this.has(key) ? this.#values[key] : undefined;
  }

  #refuse(key: string, expected: string): undefined {
    this.note(`${expected}; it is left out`, key);
    return undefined;
  }
}
