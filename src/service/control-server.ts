import { chmodSync, rmSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type ErrorCode, GatewayError, messageOf, remedyFor } from "../core/errors.ts";
import type { Log } from "../core/log.ts";

/** What a command may ask of the running service: `POST /v1/NAME` with a JSON body, answered with JSON. */
export type ControlHandlers = Readonly<Record<string, (body: unknown) => Promise<unknown>>>;

export interface ControlServer extends AsyncDisposable {
  readonly path: string;
}

/** The body of every answer that is not 2xx. */
export interface ControlFailure {
  readonly error: { readonly code: ErrorCode | "INTERNAL"; readonly message: string; readonly remedy?: string };
}

/** Lets a command see that it speaks with the service of its own store, and not with another one on this machine. */
export const STORE_HEADER = "x-fieldpost-store";

/** What an answer that is under way may take when the service ends. */
const ANSWER_MS = 500;
const MAX_BODY_BYTES = 64 * 1024;

const tooLong: ControlFailure = {
  error: { code: "INTERNAL", message: `a request has at most ${MAX_BODY_BYTES} bytes` },
};

/** HTTP on a Unix socket, mode 0660: whoever is in the service's group may speak (design: Between the service and its commands). */
export async function openControlServer(
  path: string,
  storePath: string,
  handlers: ControlHandlers,
  log: Log,
): Promise<ControlServer> {
  const app = new Hono();
  app.use(async (context, next) => {
    await next();
    context.header(STORE_HEADER, encodeURIComponent(storePath));
  });
  app.post(
    "/v1/:name",
    bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (context) => context.json(tooLong, 413) }),
    async (context) => {
      const handler = Object.hasOwn(handlers, context.req.param("name"))
        ? handlers[context.req.param("name")]
        : undefined;
      if (!handler)
        return context.json(failure(new GatewayError("NOT_FOUND", "the service does not know this request")), 404);
      try {
        return context.json((await handler(await context.req.json().catch(() => ({})))) ?? {});
      } catch (error) {
        if (!(error instanceof GatewayError)) log.error("a command's request failed", { reason: messageOf(error) });
        return context.json(failure(error), 500);
      }
    },
  );
  app.notFound((context) => context.json(failure(new GatewayError("NOT_FOUND", "no such page")), 404));

  await removeStale(path);
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
  chmodSync(path, 0o660);
  return {
    path: String(server.address() as AddressInfo | string),
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      // An answer that is being written, to whoever asked for the end of the gateway, still gets through.
      const late = setTimeout(() => "closeAllConnections" in server && server.closeAllConnections(), ANSWER_MS);
      if ("closeIdleConnections" in server) server.closeIdleConnections();
      await closed;
      clearTimeout(late);
    },
  };
}

function failure(error: unknown): ControlFailure {
  if (!(error instanceof GatewayError)) return { error: { code: "INTERNAL", message: messageOf(error) } };
  return { error: { code: error.code, message: error.message, remedy: remedyFor(error.code) } };
}

/** A socket file that nobody listens on is what a `kill -9` left. */
async function removeStale(path: string): Promise<void> {
  const alive = await new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
  if (alive) throw new GatewayError("STORE_LOCKED", `another fieldpost listens on ${path}`);
  rmSync(path, { force: true });
}
