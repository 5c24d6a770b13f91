import { type Command, EXIT } from "../command.ts";
import { askRunningService } from "../service-access.ts";

export const log: Command = {
  name: "log",
  arguments: [
    { name: "level", about: "debug, info, warn or error" },
    { name: "part", about: "only this part: uplink, store, broker or a device's id", optional: true },
  ],
  summary: "change the running service's log level",
  example: "fieldpost log debug uplink",
  async run(invocation) {
    const [level, part] = invocation.args;
    await askRunningService(invocation, "log", { level, ...(part !== undefined && { part }) });
    invocation.io.out(`${part ?? "everything"} logs at ${level} now, until the service restarts.\n`);
    return EXIT.ok;
  },
};
