// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is how one refers to the environment
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { isSecretKey, maskLine } from "../../src/config/mask.ts";
import { render } from "../../src/config/render.ts";
import { Secret } from "../../src/config/secrets.ts";
import { errorsOf, parse, problemsOf } from "./support.ts";

const HIDDEN = "hunter2";

describe("a secret value", () => {
  const secret = new Secret(HIDDEN);

  it("is revealed only on request", () => {
    expect(secret.reveal()).toBe(HIDDEN);
  });

  it.each([
    ["text", `${secret}`],
    ["JSON", JSON.stringify({ secret })],
    ["inspect", inspect({ secret }, { depth: 9, showHidden: true })],
    ["its keys", JSON.stringify(Object.entries(secret))],
  ])("does not appear in %s", (_where, output) => {
    expect(output).not.toContain(HIDDEN);
  });

  it("is what the configuration carries, also where it was written as plain text", () => {
    const { config } = parse(`mqtt: { url: 'mqtts://h', password: ${HIDDEN} }`);

    expect(config.mqtt.password?.reveal()).toBe(HIDDEN);
    expect(JSON.stringify(config) + inspect(config, { depth: 9 })).not.toContain(HIDDEN);
  });
});

describe("what is shown of a line with a secret", () => {
  it.each([
    ["password: hunter2", "password: ***"],
    ["  web_password: 'hunter2'  # note", "  web_password: ***"],
    ["{ username: a, password: hunter2 }", "{ username: a, password: ***"],
    ["pasword: hunter2", "pasword: ***"],
    ["Password=hunter2", "Password=***"],
    ["password hunter2", "password ***"],
    ['"password": hunter2', '"password": ***'],
    ["api_key: hunter2", "api_key: ***"],
    ["url: mqtt://me:hunter2@host:1883", "url: mqtt://***@host:1883"],
    ["url: mqtt://me:hun/ter2@host", "url: mqtt://***@host"],
    ["password: !secret mqtt_password # from secrets.yaml", "password: !secret mqtt_password # from secrets.yaml"],
    ['password: "${MQTT_PASSWORD}"', 'password: "${MQTT_PASSWORD}"'],
    ["password_file: /etc/fieldpost/passwords", "password_file: /etc/fieldpost/passwords"],
    ["key: /etc/fieldpost/client.key", "key: /etc/fieldpost/client.key"],
    ["sensor: 28-00155e000001", "sensor: 28-00155e000001"],
  ])("%s", (line, shown) => {
    expect(maskLine(line)).toBe(shown);
  });

  it("knows a secret's key by its name", () => {
    expect(["password", "mqtt_password", "passwd", "pasword", "token", "client_secret", "psk"].every(isSecretKey)).toBe(
      true,
    );
    expect(["username", "password_file", "sensor", "key", "acl_file", "address"].some(isSecretKey)).toBe(false);
  });
});

describe("no error shows a secret", () => {
  it.each([
    ["of another type", "mqtt: { password: [hunter2] }"],
    ["that is a number", "mqtt:\n  password: 72637\n"],
    ["on a line with another mistake", "mqtt: { usernam: a, password: hunter2 }"],
    ["before another mistake", "mqtt: { password: hunter2, usernam: a }"],
    ["under a misspelt key", "mqtt:\n  pasword: hunter2\n"],
    ["in the URL", "mqtt:\n  url: mqtt://me:hunter2@host\n"],
    ["in a list of URLs", "mqtt:\n  url: ['mqtt://a', 'mqtt://me:hunter2@host']\n"],
    ["of several lines", "mqtt:\n  password: |\n    hunter2\n    hunter2\n  nonsense: 1\n"],
    ["of several lines, in quotes", 'mqtt:\n  password: "x\n   hunter2 &a"\n  nonsense: 1\n'],
    ["with an anchor", "mqtt:\n  password: &hunter2 x\n"],
    ["that looks like an alias", "mqtt:\n  password: *hunter2\n"],
    ["that looks like a tag", "mqtt:\n  password: !hunter2 x\n"],
    ["that is no valid YAML", "mqtt:\n  password: a: hunter2\n"],
    ["that begins with a reserved character", "mqtt:\n  password: @hunter2\n"],
    ["in quotes that are never closed", "mqtt:\n  password: 'hunter2\nweb: {}\n"],
    ["that is empty text", "mqtt:\n  password: ''\n  url: mqtt://:hunter2@h"],
    ["that is far too long", `mqtt:\n  password: ${"hunter2".repeat(200)}\n`],
    ["of the dashboard", "web: { address: 0.0.0.0, pass: hunter2 }"],
    ["with a colon missing", "mqtt:\n  password hunter2\n  url: mqtt://h\n"],
  ])("%s", (_what, text) => {
    const problems = problemsOf(text);

    expect(problems.length).toBeGreaterThan(0);
    const output = render(problems, { color: false }) + JSON.stringify(problems);
    expect(output).not.toContain("hunter2");
    expect(output).not.toContain("72637");
  });

  it("not even one that came from elsewhere into a value that is wrong", () => {
    const secrets = new Map([["url", "tcp://hunter2"]]);
    const problems = problemsOf("mqtt: { url: !secret url }\nlog: { level: '${LEVEL}' }", {
      secrets,
      env: { LEVEL: HIDDEN },
    });

    expect(problems).toHaveLength(2);
    expect(render(problems, { color: false }) + JSON.stringify(problems)).not.toContain(HIDDEN);
  });
});

describe("references", () => {
  const secrets = new Map([["mqtt_password", HIDDEN]]);

  it("takes `!secret NAME` from the secrets, else from the credentials", () => {
    expect(parse("mqtt: { password: !secret mqtt_password }", { secrets }).config.mqtt.password?.reveal()).toBe(HIDDEN);
    const credentials = new Map([["other", HIDDEN]]);
    expect(parse("mqtt: { password: !secret other }", { secrets, credentials }).config.mqtt.password?.reveal()).toBe(
      HIDDEN,
    );
  });

  it("says which secret is missing, and which is near", () => {
    expect(errorsOf("mqtt: { password: !secret mqtt_pasword }", { secrets })).toEqual([
      "1:27 no secret of this name in secrets.yaml; did you mean `mqtt_password`?",
    ]);
    expect(errorsOf("mqtt: { password: !secret other }")).toEqual([
      "1:27 no secret of this name in secrets.yaml: add a line `NAME: value`",
    ]);
  });

  it("takes `!credential NAME` from systemd", () => {
    const credentials = new Map([["broker", HIDDEN]]);

    expect(parse("mqtt: { password: !credential broker }", { credentials }).config.mqtt.password?.reveal()).toBe(
      HIDDEN,
    );
    expect(errorsOf("mqtt: { password: !credential brokr }", { credentials })).toEqual([
      "1:31 no credential of this name; did you mean `broker`?",
    ]);
    expect(errorsOf("mqtt: { password: !credential broker }")[0]).toContain("$CREDENTIALS_DIRECTORY is not set");
  });

  it.each([
    ["${HOST}", "garden"],
    ["a-${HOST}-b-${HOST}", "a-garden-b-garden"],
    ["$${HOST}", "${HOST}"],
    ["$HOST", "$HOST"],
    ["${HOST:-shed}", "garden"],
    ["${EMPTY:-shed}", "shed"],
    ["${UNSET:-shed-2}", "shed-2"],
  ])("%s in text becomes %s", (written, expected) => {
    expect(parse(`gateway: { name: '${written}' }`, { env: { HOST: "garden", EMPTY: "" } }).config.gateway.name).toBe(
      expected,
    );
  });

  it.each([
    ["${MISSING}", "the environment has no MISSING"],
    ["${}", '"${" begins the name of an environment variable'],
    ["${not a name}", '"${" begins the name of an environment variable'],
    ["${OPEN", '"${" begins the name of an environment variable'],
  ])("%s is an error", (written, expected) => {
    expect(errorsOf(`gateway: { name: '${written}' }`)).toEqual([expect.stringContaining(expected)]);
  });

  it("are a number or a truth value where one belongs, in quotes or not", () => {
    const env = { PORT: "2883", POWER: "false", PIN: "0x11" };
    const { config } = parse(
      [
        "broker: { listeners: [{ port: '${PORT}' }], enabled: '${POWER}' }",
        "web:",
        "  port: ${WEB_PORT:-8099}",
        "devices: [{ id: a, driver: digital-input, pin: '${PIN}' }]",
      ].join("\n"),
      { env },
    );

    expect(config.broker).toMatchObject({ enabled: false, listeners: [{ endpoint: { port: 2883 } }] });
    expect(config.web.port).toBe(8099);
    expect(config.devices[0]?.options).toMatchObject({ pin: 17 });
  });

  it("stay text where text belongs, also when they are all digits", () => {
    const env = { SERIAL: "1000000", PASSWORD: "007" };
    const { config } = parse("gateway: { id: '${SERIAL}' }\nmqtt:\n  url: mqtts://h\n  password: ${PASSWORD}\n", {
      env,
    });

    expect(config.gateway.id).toBe("1000000");
    expect(config.mqtt.password?.reveal()).toBe("007");
  });

  it("are judged as what they are there", () => {
    const listeners = "broker: { listeners: [{ port: '${PORT}' }] }";

    expect(errorsOf(listeners, { env: { PORT: "70000" } })).toEqual([expect.stringContaining("65535")]);
    expect(errorsOf(listeners, { env: { PORT: "http" } })).toEqual([expect.stringContaining("expected a number")]);
  });

  it("does not look into what a reference gave", () => {
    const env = { A: "${B}", B: "b" };

    expect(parse("gateway: { name: '${A}' }", { env }).config.gateway.name).toBe("${B}");
  });
});
