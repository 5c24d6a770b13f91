import { z } from "zod";
import { present } from "../present.ts";
import { text } from "./scalars.ts";

/** `<prefix>/<platform>/[<node>/]<object>/config`, of the platforms that a channel can be. */
const ONE_ENTITY =
  /^[^+#$][^+#]*\/(?:binary_sensor|event|fan|light|number|sensor|switch)\/(?:[a-zA-Z0-9_-]+\/)?[a-zA-Z0-9_-]+\/config$/;

/** What a channel's entity in Home Assistant was before it was ours. */
export const formerEntity = z
  .strictObject({
    unique_id: text(256)
      .describe("Its id in Home Assistant's registry: entity id, name, area and history go on. It has to stay here")
      .meta({ examples: ["mqtt-io-1f2e_bme_sensor_hall_temperature"] }),
    migrate_from: text(256)
      .regex(ONE_ENTITY, {
        error: "expected the discovery topic of one entity: `homeassistant/sensor/NODE/OBJECT/config`",
      })
      .optional()
      .describe("Discovery topic on which it was announced alone: it is handed over, and cleared")
      .meta({ examples: ["homeassistant/sensor/mqtt-io-1f2e/hall_temperature/config"] }),
  })
  .transform(({ unique_id: uniqueId, migrate_from: migrateFrom }) => present({ uniqueId, migrateFrom }))
  .describe("Go on as an entity that Home Assistant has already, of another program or of another device here")
  // With an id it is written once in the JSON Schema.
  .meta({ id: "entity" });
