import { once } from "node:events";
import { WebSocket } from "ws";
import { GatewayError, messageOf } from "../core/errors.ts";
import type { HomeAssistantApi } from "./import.ts";

const ANSWER_MS = 30_000;
/** Thousands of entities are a few megabytes. */
const MESSAGE_MAX_BYTES = 64 * 1024 * 1024;

export interface ApiSocketOptions {
  /** Of Home Assistant: `http://homeassistant.local:8123`. */
  readonly url: string;
  /** A long-lived access token of an administrator. */
  readonly token: string;
}

interface Asked {
  resolve(result: unknown): void;
  reject(error: GatewayError): void;
}

/**
 * Opens Home Assistant's WebSocket API (developers.home-assistant.io: WebSocket API) and is let in. Rejects with
 * HOME_ASSISTANT_UNREACHABLE, or HOME_ASSISTANT_REFUSED where the token is not taken; so do calls later. The signal ends it.
 */
export async function openApi(
  { url, token }: ApiSocketOptions,
  signal?: AbortSignal,
): Promise<HomeAssistantApi & Disposable> {
  const target = `${url.replace(/^http/, "ws").replace(/\/+$/, "")}/api/websocket`;
  const socket = new WebSocket(target, { handshakeTimeout: ANSWER_MS, maxPayload: MESSAGE_MAX_BYTES });
  const stop = () => socket.terminate();
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  socket.once("close", () => signal?.removeEventListener("abort", stop));
  const gone = new Promise<never>((_, reject) => {
    socket.once("error", (error) => reject(unreachable(target, messageOf(error))));
    socket.once("close", () => reject(unreachable(target, "the connection was closed")));
  });
  gone.catch(() => {}); // it is told to whoever waits then
  const heard = () => Promise.race([once(socket, "message").then(([data]) => messageIn(data)), gone]);
  const slow = setTimeout(() => socket.terminate(), ANSWER_MS);
  try {
    await heard(); // auth_required
    socket.send(JSON.stringify({ type: "auth", access_token: token }));
    const { type, message } = await heard();
    if (type !== "auth_ok") throw new GatewayError("HOME_ASSISTANT_REFUSED", `${target} refuses the token: ${message}`);
  } catch (error) {
    socket.terminate();
    throw error;
  } finally {
    clearTimeout(slow);
  }
  return new OpenApi(socket, target, gone);
}

class OpenApi implements HomeAssistantApi, Disposable {
  readonly #socket: WebSocket;
  readonly #target: string;
  readonly #asked = new Map<number, Asked>();
  #lastId = 0;
  #failure: GatewayError | undefined;

  constructor(socket: WebSocket, target: string, gone: Promise<never>) {
    this.#socket = socket;
    this.#target = target;
    socket.on("message", (data) => this.#answered(messageIn(data)));
    gone.catch((error) => {
      this.#failure = error;
      for (const { reject } of this.#asked.values()) reject(error);
      this.#asked.clear();
    });
  }

  call(command: { readonly type: string }): Promise<unknown> {
    if (this.#failure) return Promise.reject(this.#failure);
    const id = ++this.#lastId;
    return new Promise<unknown>((resolve, reject) => {
      const late = setTimeout(() => {
        this.#asked.delete(id);
        reject(unreachable(this.#target, `no answer to ${command.type}`));
      }, ANSWER_MS);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(late);
          settle(value);
        };
      this.#asked.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.#socket.send(JSON.stringify({ id, ...command }));
    });
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  #answered({ id, success, result, error }: ApiMessage): void {
    const asked = id === undefined ? undefined : this.#asked.get(id);
    if (asked === undefined || id === undefined) return;
    this.#asked.delete(id);
    if (success) asked.resolve(result);
    else asked.reject(new GatewayError("HOME_ASSISTANT_REFUSED", `${this.#target}: ${error?.code}: ${error?.message}`));
  }
}

interface ApiMessage {
  readonly type?: string;
  readonly message?: string;
  readonly id?: number;
  readonly success?: boolean;
  readonly result?: unknown;
  readonly error?: { readonly code?: string; readonly message?: string };
}

/** What is no JSON object says nothing. */
function messageIn(data: unknown): ApiMessage {
  try {
    const value: unknown = JSON.parse(String(data));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

function unreachable(target: string, why: string): GatewayError {
  return new GatewayError("HOME_ASSISTANT_UNREACHABLE", `${target}: ${why}`);
}
