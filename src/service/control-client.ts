import { request } from "node:http";
import { type ErrorCode, errnoName, GatewayError } from "../core/errors.ts";
import { type ControlFailure, STORE_HEADER } from "./control-server.ts";

const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/**
 * Asks the running service of this store. Tries the sockets in turn; SERVICE_UNREACHABLE when none of them is the
 * service's, the service's own error when it refused.
 */
export async function askService(
  sockets: readonly string[],
  storePath: string,
  name: string,
  body: unknown,
): Promise<unknown> {
  for (const socketPath of sockets) {
    const answer = await post(socketPath, `/v1/${name}`, body).catch((error: unknown) => {
      if (["ENOENT", "ECONNREFUSED"].includes(errnoName(error) ?? "")) return undefined;
      if (errnoName(error) === "ECONNRESET") {
        throw new GatewayError("SERVICE_UNREACHABLE", "the service ended before it answered", { cause: error });
      }
      if (errnoName(error) === "EACCES") {
        throw new GatewayError("ACCESS_DENIED", `may not speak with the service on ${socketPath}: join its group`, {
          cause: error,
        });
      }
      throw error;
    });
    if (!answer || answer.store !== storePath) continue;
    if (answer.status < 300) return answer.body;
    const { error } = answer.body as ControlFailure;
    if (error.code === "INTERNAL") throw new Error(`the service failed: ${error.message}`);
    throw new GatewayError(error.code satisfies ErrorCode, error.message);
  }
  throw new GatewayError("SERVICE_UNREACHABLE", "no service is running on this configuration's store");
}

interface Answer {
  readonly status: number;
  readonly store: string;
  readonly body: unknown;
}

function post(socketPath: string, path: string, body: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json" };
    const sent = request({ socketPath, path, method: "POST", headers }, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_ANSWER_BYTES) sent.destroy(new Error("the service's answer is too long"));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        try {
          const store = decodeURIComponent(String(response.headers[STORE_HEADER] ?? ""));
          resolve({ status: response.statusCode ?? 0, store, body: JSON.parse(Buffer.concat(chunks).toString()) });
        } catch (error) {
          reject(error);
        }
      });
    });
    sent.on("error", reject);
    sent.end(JSON.stringify(body));
  });
}
