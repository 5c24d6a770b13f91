import type { ExpanderModel } from "../hardware/expander/models.ts";
import { type ExpanderDriver, expanderDriver } from "./driver.ts";
import { boardPin, durationMs } from "./options.ts";

const range = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);

function expander(
  model: ExpanderModel,
  facts: Pick<ExpanderDriver, "title" | "addresses" | "lines" | "pulls"> & { readonly notes: string },
): ExpanderDriver {
  return expanderDriver({
    ...facts,
    name: model,
    model: model.toUpperCase(),
    options: {
      poll: durationMs({ minMs: 5, maxMs: 10_000 })
        .prefault("20ms")
        .describe("How often its inputs are looked at, where no `interrupt_pin` tells of changes"),
      interrupt_pin: boardPin()
        .optional()
        .describe("BCM number of the pin that its interrupt output is wired to, with a pull-up resistor to 3.3 V"),
    },
    channels: { resets: { quantity: "count", title: "Resets", diagnostic: true } },
    timing: { minIntervalMs: 1000, expectedMs: 100 },
    notes: `Its pins are written wherever a pin is: \`pin: { expander: ID, pin: 0 }\`, with the id of this device and 0 to ${facts.lines - 1}. ${facts.notes} What it drives outlives the process. Once a second it is looked whether a brown-out has reset it; then it is set up again, and \`resets\` counts that.`,

    async open(chip) {
      await chip.check();
      return {
        async read() {
          await chip.check();
          return { values: { resets: chip.resets } };
        },
      };
    },
  });
}

const MICROCHIP =
  "Pins of the first port are 0 to 7, of the second 8 to 15. `pull` is `up` or `off`. A pulse shorter than `poll` is still seen, one at a time.";
const NXP =
  "It cannot be told from others at its address, and has no directions: inputs are pulled up, weakly, and an output at 1 gives " +
  "no more than 0.1 mA: switch with 0 (`invert: true`). All pins are at 1 while it starts, and when the first device of it opens.";

export const mcp23008 = expander("mcp23008", {
  title: "Microchip MCP23008: eight pins more",
  addresses: [0x20, ...range(0x21, 7)],
  lines: 8,
  pulls: ["up", "off"],
  notes: MICROCHIP,
});

export const mcp23017 = expander("mcp23017", {
  title: "Microchip MCP23017: sixteen pins more",
  addresses: [0x20, ...range(0x21, 7)],
  lines: 16,
  pulls: ["up", "off"],
  // DS20001952D (2022), a change of the datasheet alone: all chips have been so since 2005.
  notes: `${MICROCHIP} Pins 7 and 15 are for outputs: as inputs that change during a transfer they can damage it, says Microchip.`,
});

export const pcf8574 = expander("pcf8574", {
  title: "PCF8574 and PCF8574A: eight pins more",
  addresses: [0x20, ...range(0x21, 7), ...range(0x38, 8)],
  lines: 8,
  pulls: ["up"],
  notes: NXP,
});

export const pcf8575 = expander("pcf8575", {
  title: "PCF8575: sixteen pins more",
  addresses: [0x20, ...range(0x21, 7)],
  lines: 16,
  pulls: ["up"],
  notes: NXP,
});
