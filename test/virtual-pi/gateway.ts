import { TREE } from "./boot.ts";
import { run, type Stream, stream, writeJson } from "./guest.ts";

const START_MS = 600_000;

/** The gateway as a plain process of the user pi. */
export interface Gateway extends AsyncDisposable {
  /** Asks it to stop, and waits until it has. */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
}

/** With an empty store, unless it is kept. Resolves once it says that it is running. */
export async function startGateway(
  configuration: { readonly store: { readonly path: string } },
  { keepStore = false } = {},
): Promise<Gateway> {
  const config = "/home/pi/bench.yaml";
  const pid = "/tmp/gateway.pid";
  if (!keepStore) await run(`rm -rf ${configuration.store.path}`);
  await writeJson(config, configuration);
  const output: Stream = stream(
    `cd ${TREE} && exec runuser -u pi -- sh -c 'echo $$ > ${pid}; exec node dist/main.js run --config ${config}'`,
  );
  await output.line((line) => line.includes("fieldpost is running"), START_MS);
  return {
    async stop() {
      await run(`kill -TERM $(cat ${pid}) && timeout 60 tail --pid=$(cat ${pid}) -f /dev/null`);
    },
    async kill() {
      await run(`kill -KILL $(cat ${pid})`);
      await output[Symbol.asyncDispose]();
    },
    [Symbol.asyncDispose]: () => output[Symbol.asyncDispose](),
  };
}
