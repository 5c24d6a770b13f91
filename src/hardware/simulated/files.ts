import { resolve } from "node:path/posix";
import { GatewayError } from "../../core/errors.ts";
import { fileText } from "../file-text.ts";
import type { KernelFiles } from "../files.ts";

/** What a path holds: fixed text, text made when it is read (it may throw GatewayErrors), or a link to another path. */
export type Content = string | (() => string) | FileBehaviour | { readonly link: string };

export interface FileBehaviour {
  /** Absent: it cannot be read. */
  read?(): string;
  /** Absent: it cannot be written. */
  write?(text: string): void;
}

/** Absolute path -> content; directories follow from the paths. */
export type Tree = Readonly<Record<string, Content>>;

const MAX_LINKS = 40;
const SPACE = { totalBytes: 32 * 1024 ** 3, freeBytes: 24 * 1024 ** 3 };

/** Files in memory whose contents may follow the simulated world. */
export class SimulatedFiles implements KernelFiles {
  readonly #entries = new Map<string, Content>();

  constructor(tree: Tree = {}) {
    this.put(tree);
  }

  /** Adds files, or gives them new contents. */
  put(tree: Tree): void {
    for (const [path, content] of Object.entries(tree)) this.#entries.set(normal(path), content);
  }

  /** Removes a file, or a directory with all that is below it. */
  remove(path: string): void {
    const gone = normal(path);
    for (const entry of this.#entries.keys()) {
      if (entry === gone || entry.startsWith(`${gone}/`)) this.#entries.delete(entry);
    }
  }

  async read(path: string): Promise<string> {
    const file = this.#file(path);
    if (!file.read) throw new GatewayError("ACCESS_DENIED", `${path} cannot be read`);
    return fileText(path, Buffer.from(file.read()));
  }

  async write(path: string, text: string): Promise<void> {
    const file = this.#file(path);
    if (!file.write) throw new GatewayError("ACCESS_DENIED", `${path} cannot be written`);
    file.write(text);
  }

  async list(path: string): Promise<string[]> {
    const found = this.#find(path);
    return found === undefined ? [] : [...this.#namesIn(found)].sort();
  }

  async resolve(path: string): Promise<string> {
    const found = this.#find(path);
    if (found === undefined) throw notFound(path);
    return found;
  }

  async space(path: string): Promise<{ readonly totalBytes: number; readonly freeBytes: number }> {
    if (this.#find(path) === undefined) throw notFound(path);
    return SPACE;
  }

  #file(path: string): FileBehaviour {
    const found = this.#find(path);
    const content = found === undefined ? undefined : this.#entries.get(found);
    if (content === undefined || (typeof content === "object" && "link" in content)) {
      if (found === undefined) throw notFound(path);
      throw new GatewayError("FILE_IO", `${path} is a directory`);
    }
    if (typeof content === "string") return { read: () => content };
    return typeof content === "function" ? { read: content } : content;
  }

  /** The path with links resolved, if something is there. */
  #find(path: string): string | undefined {
    let found = normal(path);
    for (let links = 0; links < MAX_LINKS; links++) {
      const next = this.#followOne(found);
      if (next === undefined) return this.#entries.has(found) || this.#namesIn(found).size > 0 ? found : undefined;
      found = next;
    }
    return undefined;
  }

  #followOne(path: string): string | undefined {
    for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
      const prefix = end < 0 ? path : path.slice(0, end);
      const content = this.#entries.get(prefix);
      if (typeof content === "object" && "link" in content) return normal(content.link) + path.slice(prefix.length);
      if (end < 0) return undefined;
    }
  }

  #namesIn(directory: string): Set<string> {
    const prefix = directory === "/" ? "/" : `${directory}/`;
    const names = new Set<string>();
    for (const entry of this.#entries.keys()) {
      const [name] = entry.startsWith(prefix) ? entry.slice(prefix.length).split("/") : [];
      if (name) names.add(name);
    }
    return names;
  }
}

/** Without `.`, `..` and doubled slashes; `..` at the root stays there. */
function normal(path: string): string {
  return resolve("/", path);
}

function notFound(path: string): GatewayError {
  return new GatewayError("NOT_FOUND", `${path} does not exist`);
}
