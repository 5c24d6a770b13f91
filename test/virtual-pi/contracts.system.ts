import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { attempt, run, virtualPi } from "./guest.ts";

const project = join(import.meta.dirname, "../..");
const tree = "/home/pi/contracts";

/** The sources, the suites and vitest; the compiler and the linters stay at home. */
beforeAll(async () => {
  const staged = await mkdtemp(join(tmpdir(), "fieldpost-contracts-"));
  const heavy = /node_modules\/(@biomejs|@typescript|typescript|knip|@oxc-\w+|oxc-\w+|\.cache|\.vite)(\/|$)/;
  for (const item of ["src", "test", "package.json", "tsconfig.json", "node_modules"]) {
    await cp(join(project, item), join(staged, item), {
      recursive: true,
      dereference: item === "node_modules",
      filter: (path) => !heavy.test(path),
    });
  }
  const { code, stderr } = await virtualPi(["push", staged, tree]);
  await rm(staged, { recursive: true });
  expect(stderr).toBe("");
  expect(code).toBe(0);
});

/** The suites, with the programs of libgpiod that are first in `path`. */
async function holds(path: string, ...options: string[]): Promise<void> {
  await run(
    `chown -R pi: ${tree}; touch /run/vi2c.json; chown pi /run/vi2c.json; chown pi /sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio17/pull`,
  );
  const suite = `node_modules/vitest/vitest.mjs run --root test/hardware/linux real.test.ts ${options.join(" ")}`;
  const env = `PATH=${path} FIELDPOST_REAL_HARDWARE=1 FIELDPOST_SETTLE_MS=2000`;
  const { code, stdout, stderr } = await attempt(
    `cd ${tree} && runuser -u pi -- env ${env} node ${suite} --pool forks --test-timeout 120000 --hook-timeout 120000`,
  );
  await run("rm -f /run/vi2c.json");
  expect(code, `${stdout}${stderr}`).toBe(0);
  expect(stdout).toMatch(/Tests.* passed/);
  process.stderr.write(`figures: contracts in the virtual Pi: ${/Tests.*/.exec(stdout)?.[0]}\n`);
}

test("the hardware's contracts hold on real kernel interfaces, for an unprivileged user", () => holds("/usr/bin:/bin"));

/** Programs of another libgpiod, linked without its library: how to build them is in README.md. */
const others = process.env.VPI_LIBGPIOD;

test.runIf(others)("the pins' contract holds with another libgpiod", async () => {
  const { code, stderr } = await virtualPi(["push", others ?? "", "/opt/libgpiod"]);
  expect(code, stderr).toBe(0);
  const version = await run("chmod +x /opt/libgpiod/*; /opt/libgpiod/gpiodetect --version");
  process.stderr.write(`figures: contracts in the virtual Pi: with ${version.split("\n")[0]}\n`);
  await holds("/opt/libgpiod:/usr/bin:/bin", "-t", "libgpiod");
});
