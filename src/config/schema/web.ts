import { z } from "zod";
import { present } from "../present.ts";
import { portNumber, secret, text } from "./scalars.ts";

export const webSection = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Serve the dashboard"),
    address: text(64).default("127.0.0.1").describe("Address to listen on; beyond loopback `password` is needed"),
    port: portNumber().default(8080).describe("Port to listen on"),
    password: secret()
      .optional()
      .describe("What the dashboard asks for")
      .meta({ examples: ["!secret web_password"] }),
  })
  .transform(present)
  .prefault({})
  .describe("The dashboard");
