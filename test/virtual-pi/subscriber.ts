import { run, type Stream, stream } from "./guest.ts";

export interface Message {
  readonly topic: string;
  /** The payload, parsed where it is JSON. */
  readonly payload: unknown;
  /** It was there before the subscription. */
  readonly retained: boolean;
}

/** Debian's mosquitto_sub in the guest. */
export interface Subscriber extends AsyncDisposable {
  messages(): Message[];
  /** The first message on this topic, since `from` (a count of messages), whose payload is as asked. */
  message<T>(topic: string, matches: (payload: T) => boolean, timeoutMs: number, from?: number): Promise<T>;
}

export function subscribe(port: number, ...filters: string[]): Subscriber {
  const topics = filters.map((filter) => `-t '${filter}'`).join(" ");
  // %j needs one line a message; the time limit ends it in the guest when nobody reads any more.
  const output: Stream = stream(`exec timeout 7200 mosquitto_sub -p ${port} -V 5 -q 1 ${topics} -F %j`);
  return {
    messages: () => output.lines.map(parse).filter((message) => message !== undefined),
    async message<T>(topic: string, matches: (payload: T) => boolean, timeoutMs: number, from = 0) {
      let seen = 0;
      const found = await output.line((line) => {
        const message = parse(line);
        if (!message || seen++ < from) return false;
        return message.topic === topic && matches(message.payload as T);
      }, timeoutMs);
      return parse(found)?.payload as T;
    },
    [Symbol.asyncDispose]: () => output[Symbol.asyncDispose](),
  };
}

function parse(line: string): Message | undefined {
  if (!line.startsWith("{")) return undefined;
  const { topic, payload, retain } = JSON.parse(line) as { topic: string; payload?: string; retain: number };
  return { topic, payload: value(payload ?? ""), retained: retain === 1 };
}

function value(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** mosquitto_sub until `seconds` have passed, which it calls a timeout (27). */
async function listen(options: string, seconds: number): Promise<Message[]> {
  const text = await run(`mosquitto_sub -q 1 ${options} -F %j -W ${seconds} || [ $? = 27 ]`);
  return text
    .split("\n")
    .map(parse)
    .filter((message) => message !== undefined);
}

/** What is retained on these topics now: topic -> payload. */
export async function retained(port: number, filter: string): Promise<Map<string, unknown>> {
  const messages = await listen(`-p ${port} -V 5 -t '${filter}' --retained-only`, 3);
  return new Map(messages.map(({ topic, payload }) => [topic, payload]));
}

/** A session that outlives its connections: the broker keeps for it what comes while nobody collects. */
export interface Collector {
  /** Everything that has come since the session began. */
  collect(): Promise<readonly Message[]>;
}

export async function openCollector(port: number, filter: string): Promise<Collector> {
  const session = `-p ${port} -V 311 -c -i collector -t '${filter}'`;
  const all: Message[] = [];
  await run(`mosquitto_sub -q 1 ${session} -E`);
  return {
    async collect() {
      all.push(...(await listen(session, 4)));
      return all;
    },
  };
}
