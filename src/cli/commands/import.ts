import { readBoundedText } from "../../config/bounded-file.ts";
import { GatewayError } from "../../core/errors.ts";
import { importMqttIo } from "../../import/mqtt-io/convert.ts";
import { type Command, EXIT } from "../command.ts";

/** `import` is a word of the language. */
export const importOther: Command = {
  name: "import",
  arguments: [
    { name: "format", about: "whose configuration it is: mqtt-io" },
    { name: "file", about: "that configuration" },
  ],
  summary: "print another gateway's configuration as ours, and on standard error what could not be carried over",
  printsData: true,
  example: "fieldpost import mqtt-io config.yml > fieldpost.yaml",
  async run({ args: [format, file = ""], io, json }) {
    if (format !== "mqtt-io") {
      throw new GatewayError("USAGE_INVALID", `only configurations of mqtt-io are understood, not of ${format}`);
    }
    const read = await readBoundedText(file);
    if (!read.ok) throw new GatewayError("USAGE_INVALID", `${file}: ${read.message}`);
    const { yaml, notes, devices } = importMqttIo(read.text);
    if (json) {
      io.out(`${JSON.stringify({ yaml, notes, devices })}\n`);
      return EXIT.ok;
    }
    io.out(yaml);
    for (const note of notes) io.err(`${note}\n`);
    return EXIT.ok;
  },
};
