import { describe, expect, it } from "vitest";
import { drivers } from "../../src/drivers/registry.ts";
import { errorsOf, noticesOf, parse } from "./support.ts";

const devices = (...lines: string[]): string => `devices:\n${lines.map((line) => `  - { ${line} }\n`).join("")}`;

describe("rules between devices", () => {
  it.each([["1"], ["i2c-1"], ["/dev/i2c-1"], ["'1'"]])("sees an address clash on bus %s and the default bus", (bus) => {
    expect(errorsOf(devices("id: a, driver: sht4x", `id: b, driver: sht4x, bus: ${bus}, address: 0x44`))).toEqual([
      expect.stringMatching(/^3:\d+ 0x44 on i2c-1 is taken already by `a`/),
    ]);
  });

  it("allows the same address on another bus", () => {
    expect(
      parse(devices("id: a, driver: sht4x", "id: b, driver: sht4x, bus: 3", "id: c, driver: sht4x, bus: sim")).config
        .devices,
    ).toMatchObject([{ bus: "i2c-1" }, { bus: "i2c-3" }, { bus: "sim", address: 0x44 }]);
  });

  it("keeps simulated pins apart from real ones", () => {
    expect(
      parse(devices("id: a, driver: digital-input, pin: 4", "id: b, driver: digital-input, pin: 4, bus: sim")).config
        .devices,
    ).toMatchObject([{ bus: "local" }, { bus: "sim" }]);
  });

  it.each(["gateway", "status", "request"])("refuses the reserved id %s", (id) => {
    expect(errorsOf(devices(`id: ${id}, driver: sht4x`))).toEqual([expect.stringContaining("reserved")]);
  });

  it("refuses an id that moves over from a device that is still here", () => {
    expect(errorsOf(devices("id: a, driver: sht4x", "id: b, driver: sht4x, address: 0x45, previous_id: a"))).toEqual([
      expect.stringContaining("a device of this id is still here"),
    ]);
  });

  it("refuses two devices of which an entity would have one id in Home Assistant", () => {
    const dew = "computed: { top_temperature: { formula: temperature - 1 } }";
    const room = `id: room, driver: sht4x, ${dew}`;
    expect(errorsOf(devices(room, "id: room_top, driver: sht4x, address: 0x45"))).toEqual([
      "3:11 the entity `room_top_temperature` is taken already by `room`: in Home Assistant both would be one: give the device another id, or the channel another key",
    ]);
    const goesOn = "channels: { temperature: { home_assistant: { unique_id: of_old } } }";
    for (const other of ["id: room-top", `id: room_top, ${goesOn}`])
      expect(parse(devices(room, `${other}, driver: sht4x, address: 0x45`)).config.devices).toHaveLength(2);
  });

  it("refuses one sensor of 1-Wire for two devices", () => {
    const sensor = "driver: ds18b20, sensor: 28-00155e000001";
    expect(errorsOf(devices(`id: a, ${sensor}`, `id: b, ${sensor}`))).toEqual([
      "3:39 sensor 28-00155e000001 is taken already by `a`: each sensor on the bus has an id of its own",
    ]);
  });

  it("knows buses behind a multiplexer, where the same address may be again", () => {
    const behind = (channel: number) => `id: m${channel}, driver: sht4x, bus: 1/mux@0x70/${channel}`;
    expect(parse(devices("id: a, driver: sht4x", behind(0), behind(7))).config.devices).toMatchObject([
      { bus: "i2c-1" },
      { bus: "i2c-1/mux@0x70/0" },
      { bus: "i2c-1/mux@0x70/7" },
    ]);
    expect(errorsOf(devices(behind(0), behind(0).replace("m0", "b")))[0]).toContain("0x44 on i2c-1/mux@0x70/0");
    for (const bus of ["1/mux@0x70/8", "1/mux@0x6f/1", "sim/mux@0x70/1", "spi0/mux@0x70/1"]) {
      expect(errorsOf(devices(`id: a, driver: sht4x, bus: ${bus}`))[0]).toContain("expected a bus");
    }
  });

  it("refuses a bus for what has none, and names what it takes", () => {
    expect(errorsOf(devices("id: a, driver: ds18b20, bus: i2c-1"))[0]).toContain("a `ds18b20` has no bus to choose");
    expect(errorsOf(devices("id: a, driver: sht4x, bus: spi0"))[0]).toContain(
      "expected a bus: its number, `i2c-1`, `i2c-1/mux@0x70/3`, or `sim`",
    );
  });

  it("warns about channels that the driver does not know", () => {
    const [notice] = noticesOf(devices("id: a, driver: sht4x, channels: { temperatur: { decimals: 1 } }"));

    expect(notice).toMatchObject({
      severity: "warning",
      message: "a sht4x has no channel `temperatur`; did you mean `temperature`?",
    });
  });

  it("passes on what a driver says about options that surprise", () => {
    expect(noticesOf(devices("id: a, driver: digital-input, pin: 1"))).toMatchObject([
      { severity: "warning", message: "this pin is not on the header", line: 2 },
    ]);
  });
});

describe("what a device inherits", () => {
  it("takes interval, area and QoS from the sections above", () => {
    const { config } = parse(
      `gateway: { area: Shed }\nmqtt: { qos: { readings: 2 } }\ndefaults: { interval: 7s }\n${devices("id: soil_probe, driver: sht4x, qos: { state: 0 }")}`,
    );

    expect(config.devices[0]).toMatchObject({
      name: "Soil probe",
      area: "Shed",
      intervalMs: 7000,
      qos: { state: 0, readings: 2, commands: 1 },
      enabled: true,
      options: { precision: "high" },
    });
  });

  it("takes the driver's own default interval, and never less than its minimum", () => {
    const { config } = parse(
      `defaults: { interval: 20ms }\n${devices("id: a, driver: ds18b20", "id: b, driver: sht4x")}`,
    );

    expect(config.devices.map(({ intervalMs }) => intervalMs)).toEqual([60_000, 100]);
  });
});

describe("from when on a sensor is not to be believed", () => {
  const device = (more: string) => parse(`devices: [{ id: a, driver: bme280, ${more} }]`).config.devices[0];

  it("is said a channel, as a duration or `never`", () => {
    const channels = device(
      "channels: { temperature: { stuck_after: 30m }, pressure: { stuck_after: never } }",
    )?.channels;

    expect(channels?.temperature?.stuckAfterMs).toBe(1_800_000);
    expect(channels?.pressure?.stuckAfterMs).toBe(Number.POSITIVE_INFINITY);
  });

  it("is a tenth of the answers damaged, or what is said", () => {
    expect(device("max_damaged: 2.5")?.damagedPercent).toBe(2.5);
    expect(device("interval: 10s")?.damagedPercent).toBe(10);
  });
});

describe("rules of the network sections", () => {
  it.each([
    ["mqtt: { url: 'mqtt://h', tls: { cert: a } }", "`cert` and `key` belong together"],
    ["mqtt: { url: 'mqtt://me:pw@h' }", "user name and password do not belong in the URL"],
    ["mqtt: { url: broker.local }", "expected a URL, such as mqtt://broker.local:1883"],
    ["mqtt: { url: 'mqtt://h:99999' }", "this is not a valid URL"],
    ["mqtt: { url: [] }", "expected at least 1 item"],
    ["mqtt: { base_topic: 'a/#' }", "expected a topic"],
    ["mqtt: { base_topic: /a }", "expected a topic"],
    ["web: { address: 0.0.0.0 }", "beyond loopback the dashboard needs `password`"],
    ["broker: { listeners: [{ address: 0.0.0.0 }] }", "beyond loopback clients must say who they are"],
    ["broker: { password_file: p, listeners: [{ address: 0.0.0.0 }] }", "beyond loopback passwords need TLS"],
    ["broker: { listeners: [{}, { port: 1883 }] }", "another listener has this address and port already"],
    ["broker: { listeners: [{ path: /s, port: 1883 }] }", "a listener has either `path`"],
    ["broker: { listeners: [{ tls: { cert: c, key: k, require_certificate: true } }] }", "this needs `ca`"],
    ["broker: { listeners: [{ tls: { cert: c } }] }", "`key` is missing in broker.listeners[0].tls"],
  ])("%s", (text, expected) => {
    expect(errorsOf(text)).toEqual([expect.stringContaining(expected)]);
  });

  it("warns where gaps are to be filled and cannot be, or with an open token", () => {
    const history = (url: string) => `home_assistant: { history: { url: "${url}", token: "t" } }\n`;
    expect(noticesOf(history("http://homeassistant.local:8123"))).toMatchObject([
      { severity: "warning", message: expect.stringContaining("the token goes over the network unencrypted") },
    ]);
    expect(noticesOf(history("http://localhost:8123"))).toEqual([]);
    expect(noticesOf(history("https://ha.example"))).toEqual([]);
    expect(noticesOf(`mqtt: { publish: [state] }\n${history("https://ha.example")}`)).toMatchObject([
      { severity: "warning", message: expect.stringContaining("nothing is filled without `readings`") },
    ]);
    expect(errorsOf(history("ws://ha.example"))).toEqual([expect.stringContaining("expected an address like")]);
  });

  it("warns where a password goes unencrypted over the network", () => {
    const password = "username: a, password: b";

    expect(noticesOf(`mqtt: { url: 'mqtt://broker', ${password} }`)).toMatchObject([
      { severity: "warning", path: "mqtt.password" },
    ]);
    expect(noticesOf(`mqtt: { url: 'mqtt://127.0.0.1', ${password} }`)).toEqual([]);
    expect(noticesOf(`mqtt: { url: 'mqtts://broker', ${password} }`)).toEqual([]);
  });

  it("runs the bundled broker by default only where no other is named", () => {
    expect(parse("log: {}").config.broker).toMatchObject({
      enabled: true,
      listeners: [{ endpoint: { kind: "tcp", address: "127.0.0.1", port: 1883 }, allowAnonymous: true }],
    });
    expect(parse("mqtt: { url: 'mqtt://h' }").config.broker.enabled).toBe(false);
    expect(parse("mqtt: { url: 'mqtt://h' }\nbroker: { enabled: true }").config.broker.enabled).toBe(true);
  });

  it("wants a mount point that filters with wildcards can follow", () => {
    const mounted = (prefix: string): string => `broker: { listeners: [{ mount_point: ${prefix} }] }`;

    expect(noticesOf(mounted("house/"))).toEqual([]);
    expect(noticesOf(mounted("house"))).toEqual([expect.objectContaining({ severity: "warning" })]);
    for (const wrong of ["a/+", "'#'", "$share/a/"]) expect(errorsOf(mounted(wrong))).toHaveLength(1);
  });

  it("takes addresses from a proxy only where there are addresses", () => {
    const behindProxy = "proxy_protocol: true";
    const [listener] = parse(`broker: { listeners: [{ port: 1, ${behindProxy} }] }`).config.broker.listeners;

    expect(listener?.proxyProtocol).toBe(true);
    expect(errorsOf(`broker: { listeners: [{ path: /run/x.sock, ${behindProxy} }] }`)).toEqual([
      expect.stringContaining("a Unix socket has no addresses"),
    ]);
  });

  it("means paths from the configuration's own folder", () => {
    const { config } = parse("store: { path: data }\nmqtt: { url: 'mqtts://h', tls: { ca: ca.pem } }", {
      file: "/etc/fp/c.yaml",
    });

    expect(config.store.path).toBe("/etc/fp/data");
    expect(config.mqtt.tls?.caFile).toBe("/etc/fp/ca.pem");
  });
});

describe("pins of expanders", () => {
  const io = "id: io, driver: mcp23008";
  const door = (pin: string, id = "door") => `id: ${id}, driver: digital-input, pin: ${pin}`;
  const errors = (...lines: string[]) => errorsOf(devices(...lines), { drivers });

  it("are found by the id of their device, wherever it stands in the list", () => {
    const { config } = parse(devices(door("{ expander: io, pin: 7 }"), `${io}, bus: 3, interrupt_pin: 17`), {
      drivers,
    });
    expect(config.devices[0]).toMatchObject({
      options: { pin: { expander: "io", pin: 7 } },
      expanders: { io: { model: "mcp23008", bus: "i2c-3", address: 0x20, pollMs: 20, interruptPin: 17 } },
    });
    expect(config.devices[1]).not.toHaveProperty("expanders");
  });

  it("that are not there are told with what is", () => {
    expect(errors(door("{ expander: oi, pin: 0 }"), io)).toEqual([
      expect.stringContaining("there is no expander `oi`; there is io"),
    ]);
    expect(errors(door("{ expander: a, pin: 0 }"), "id: a, driver: sht4x")).toEqual([
      expect.stringContaining("there is no expander `a`; it needs a device of its own"),
    ]);
    expect(errors(door("{ expander: io, pin: 8 }"), io)).toEqual([
      expect.stringContaining("a mcp23008 has the pins 0 to 7"),
    ]);
  });

  it("have the pull resistors that their chip has", () => {
    const pulled = (pull: string) => `${door("{ expander: io, pin: 1 }")}, pull: ${pull}`;
    expect(errors(io, pulled("down"))).toEqual([expect.stringContaining("a mcp23008 has no such resistor: up or off")]);
    expect(errors("id: io, driver: pcf8575", pulled("off"))).toEqual([expect.stringContaining("a pcf8575 has no")]);
    expect(parse(devices(io, pulled("off")), { drivers }).config.devices).toHaveLength(2);
  });

  it("serve one device each, as the Pi's do, and an interrupt has its pin for itself", () => {
    const twice = door("{ expander: io, pin: 1 }", "b");
    expect(errors(io, door("{ expander: io, pin: 1 }"), door("{ expander: io, pin: 2 }", "c"), twice)).toEqual([
      expect.stringContaining("pin 1 of `io` is taken already by `door`"),
    ]);
    expect(errors(`${io}, interrupt_pin: 4`, door("4"))).toEqual([
      expect.stringContaining("pin 4 is taken already by `io`"),
    ]);
  });

  it.each(["99", "{ expander: io }", "{ expander: io, pin: 1, pull: up }", "x"])("are not written %s", (pin) => {
    expect(errors(door(pin), io)).toEqual([expect.stringMatching(/^2:\d+ /)]);
  });

  it("clash with other chips at their expander's address", () => {
    expect(errors(io, "id: b, driver: pcf8574")).toEqual([expect.stringContaining("0x20 on i2c-1 is taken already")]);
  });
});
