import { type Command, EXIT } from "../command.ts";
import { askRunningService } from "../service-access.ts";

export const announce: Command = {
  name: "announce",
  arguments: [{ name: "device", about: "the device's id, or `gateway`; by default all", optional: true }],
  summary: "announce to Home Assistant once more, also what was deleted there",
  printsData: true,
  example: "fieldpost announce climate",
  async run(invocation) {
    const [device] = invocation.args;
    const question = device === undefined ? {} : { device };
    const answer = (await askRunningService(invocation, "announce", question)) as { readonly back: readonly string[] };
    const back = answer.back.length > 0 ? `, and again: ${answer.back.join(", ")}` : "";
    invocation.io.out(invocation.json ? `${JSON.stringify(answer)}\n` : `announced${back}\n`);
    return EXIT.ok;
  },
};
