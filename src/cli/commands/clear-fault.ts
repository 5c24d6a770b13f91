import { type Command, EXIT } from "../command.ts";
import { askRunningService } from "../service-access.ts";

interface Cleared {
  readonly devices: readonly string[];
  readonly gateway: boolean;
}

export const clearFault: Command = {
  name: "clear-fault",
  arguments: [{ name: "device", about: "the device's id; by default all, and the gateway", optional: true }],
  summary: "hold nothing against a device any more (stuck, rejected, damaged), and open it at once if it is not well",
  printsData: true,
  example: "fieldpost clear-fault climate",
  async run(invocation) {
    const [device] = invocation.args;
    const question = device === undefined ? {} : { device };
    const cleared = (await askRunningService(invocation, "clear_fault", question)) as Cleared;
    const names = [...cleared.devices, ...(cleared.gateway ? ["gateway"] : [])];
    const text = names.length > 0 ? `cleared, and tried again: ${names.join(", ")}` : "nothing was at fault";
    invocation.io.out(invocation.json ? `${JSON.stringify(cleared)}\n` : `${text}\n`);
    return EXIT.ok;
  },
};
