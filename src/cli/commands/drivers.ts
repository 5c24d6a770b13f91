import { didYouMean } from "../../config/suggest.ts";
import { formatDurationMs } from "../../core/duration.ts";
import { type DriverPage, describeDriver } from "../../drivers/describe.ts";
import { findDriver, namesOf, drivers as registry } from "../../drivers/registry.ts";
import { type Command, EXIT } from "../command.ts";
import { renderTable } from "../table.ts";

export const drivers: Command = {
  name: "drivers",
  arguments: [{ name: "name", about: "one driver: its options and channels", optional: true }],
  summary: "list the supported sensors, or one driver's options and channels",
  printsData: true,
  example: "fieldpost drivers bme280",
  async run({ args: [name], json, io }) {
    if (name === undefined) {
      const pages = registry.map(describeDriver);
      io.out(json ? `${JSON.stringify(pages)}\n` : renderTable(pages.map((page) => [page.name, titleOf(page)])));
      return EXIT.ok;
    }
    const driver = findDriver(name);
    if (!driver) {
      const hint = didYouMean(name, registry.flatMap(namesOf)) || "; `fieldpost drivers` lists them";
      io.err(`error: there is no driver "${name}"${hint}\n`);
      return EXIT.usage;
    }
    const page = describeDriver(driver);
    io.out(json ? `${JSON.stringify(page)}\n` : renderPage(page));
    return EXIT.ok;
  },
};

const titleOf = ({ title, planned }: DriverPage): string => (planned ? `${title} (not active yet)` : title);

function renderPage(page: DriverPage): string {
  const facts = [
    ...(page.aliases.length > 0 ? [["also", page.aliases.join(", ")]] : []),
    ...(page.addresses.length > 0 ? [["addresses", page.addresses.join(", ")]] : []),
    ["fastest interval", formatDurationMs(page.minIntervalMs)],
  ];
  const options = page.options.map(({ key, values, required, description, ...option }) => {
    const fallback = required ? "required" : option.default === undefined ? "" : `default ${option.default}`;
    return [`  ${key}`, values, fallback, description];
  });
  const channels = page.channels.map(({ key, title, unit = "", min, max, events }) => {
    return [
      `  ${key}`,
      title,
      events?.join(", ") ?? unit,
      min === undefined || max === undefined ? "" : `${min} to ${max}`,
    ];
  });
  return [
    `${page.name}: ${titleOf(page)}\n`,
    renderTable(facts),
    options.length > 0 ? `\noptions\n${renderTable(options)}` : "",
    channels.length > 0 ? `\nchannels\n${renderTable(channels)}` : "\nchannels are found when the device opens\n",
    page.notes ? `\n${page.notes}\n` : "",
  ].join("");
}
