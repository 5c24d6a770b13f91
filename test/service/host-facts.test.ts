import { expect, test } from "vitest";
import { defaultGatewayId, machineSuffix } from "../../src/service/host-facts.ts";

test("two Pis of one name are two gateways, told apart by their boards' serial numbers", () => {
  const id = (serial: string) => defaultGatewayId({ host: "raspberrypi", suffix: machineSuffix(serial, "") });
  expect(id("10000000a1b2c3d4")).toBe("raspberrypi-c3d4");
  expect(id("10000000a1b2FFEE")).toBe("raspberrypi-ffee");
});

test("a machine without a board serial takes four digits that do not give its machine id away", () => {
  const suffix = machineSuffix("", "0123456789abcdef0123456789abcdef");
  expect(suffix).toMatch(/^[0-9a-f]{4}$/);
  expect("0123456789abcdef0123456789abcdef").not.toContain(suffix);
  expect(machineSuffix("", "0123456789abcdef0123456789abcdef")).toBe(suffix);
});

test("a host name becomes a valid topic level", () => {
  expect(defaultGatewayId({ host: "Pi Küche.local", suffix: "0001" })).toBe("pi-k-che-0001");
  expect(defaultGatewayId({ host: "...", suffix: "0001" })).toBe("fieldpost-0001");
});
