import { configJsonSchema } from "../../config/json-schema.ts";
import { payloadJsonSchema } from "../../config/payload-schema.ts";
import { drivers } from "../../drivers/registry.ts";
import { type Command, EXIT } from "../command.ts";

export const schema: Command = {
  name: "schema",
  summary: "print the JSON Schema of the configuration, for editors, or of the MQTT payloads",
  options: [{ flags: "--payloads", about: "of what is published and taken over MQTT, by name under $defs" }],
  printsData: true,
  example: "fieldpost schema > fieldpost.schema.json",
  async run({ options, io }) {
    const asked = options.payloads ? payloadJsonSchema() : configJsonSchema(drivers);
    io.out(`${JSON.stringify(asked, null, 2)}\n`);
    return EXIT.ok;
  },
};
