import { configJsonSchema } from "../../config/json-schema.ts";
import { drivers } from "../../drivers/registry.ts";
import { type Command, EXIT } from "../command.ts";

export const schema: Command = {
  name: "schema",
  summary: "print the configuration's JSON Schema, for editors",
  printsData: true,
  example: "fieldpost schema > fieldpost.schema.json",
  async run({ io }) {
    io.out(`${JSON.stringify(configJsonSchema(drivers), null, 2)}\n`);
    return EXIT.ok;
  },
};
