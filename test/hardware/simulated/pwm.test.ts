import { SimulatedPwm } from "../../../src/hardware/simulated/pwm.ts";
import { pwmContract } from "../../contracts/pwm.ts";

pwmContract("simulated, on the header", async () => {
  const pwm = new SimulatedPwm();
  return { pwm, pin: 18, missing: [17, { chip: "1-0040", channel: 0 }], given: async () => pwm.given(18) ?? 0 };
});

pwmContract("simulated, of a chip", async () => {
  const pwm = new SimulatedPwm();
  const pin = { chip: "sim", channel: 15 };
  return { pwm, pin, missing: [{ chip: "sim", channel: 16 }], given: async () => pwm.given(pin) ?? 0 };
});
