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

test("the hardware's contracts hold on real kernel interfaces, for an unprivileged user", async () => {
  await run(
    `chown -R pi: ${tree}; touch /run/vi2c.json; chown pi /run/vi2c.json; chown pi /sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio17/pull`,
  );
  const suite = "node_modules/vitest/vitest.mjs run --root test/hardware/linux real.test.ts";
  const { code, stdout, stderr } = await attempt(
    `cd ${tree} && runuser -u pi -- env FIELDPOST_REAL_HARDWARE=1 node ${suite} --pool forks --test-timeout 20000`,
  );
  await run("rm -f /run/vi2c.json");
  expect(code, `${stdout}${stderr}`).toBe(0);
  expect(stdout).toMatch(/Tests.* passed/);
});
