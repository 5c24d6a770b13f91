import { expect, test } from "vitest";
import { GatewayError } from "../../src/core/errors.ts";
import { dht22 } from "../../src/drivers/dht22.ts";
import { SimulatedFiles } from "../../src/hardware/simulated/files.ts";
import { noMemory } from "../../src/wiring/driver-memory.ts";
import { FakeClock } from "../fakes/clock.ts";

const DEVICE = "/sys/devices/platform/dht11@4/iio:device0";
const never = new AbortController().signal;

async function read(temperature: string | (() => string), humidity: string) {
  const files = new SimulatedFiles({
    "/sys/bus/iio/devices/iio:device0": { link: DEVICE },
    [`${DEVICE}/name`]: "dht11@4\n",
    [`${DEVICE}/in_temp_input`]: temperature,
    [`${DEVICE}/in_humidityrelative_input`]: humidity,
  });
  if (dht22.port !== "files") throw new Error("dht22 reads files");
  const sensor = await dht22.open(files, {}, { clock: new FakeClock(), memory: noMemory });
  return (await sensor.read(never)).values;
}

/** dht11.c gives thousandths: of a DHT22's tenths with a sign of their own, of a DHT11's whole numbers. */
test.each([
  ["02 8C 01 5F of a DHT22", "35100", "65200", 35.1, 65.2],
  ["03 E7 80 65 of a DHT22", "-10100", "99900", -10.1, 99.9],
  ["00 00 00 00 of a DHT22", "0", "0", 0, 0],
  ["2D 00 17 00 of a DHT11", "23000", "45000", 23, 45],
])("%s, as the kernel gives it", async (_bytes, milliC, milliPercent, temperature, humidity) => {
  expect(await read(`${milliC}\n`, `${milliPercent}\n`)).toEqual({ temperature, humidity });
});

test("an answer that the kernel could not decode is its error, and no value", async () => {
  const fails = () => {
    throw new GatewayError("FILE_IO", "EIO: i/o error, read");
  };
  await expect(read(fails, "65200")).rejects.toMatchObject({ code: "FILE_IO" });
  await expect(read("", "65200")).rejects.toMatchObject({ code: "BAD_VALUE" });
});
