import { expect, test, vi } from "vitest";
import { ReloadRequests } from "../../src/service/reload-requests.ts";

test("whoever listens hears each request until he has enough", () => {
  const requests = new ReloadRequests();
  const listener = vi.fn();
  const stop = requests.onRequest(listener);
  requests.request();
  requests.request();
  stop();
  requests.request();
  expect(listener).toHaveBeenCalledTimes(2);
});

test("what was asked for while nobody listened is heard once by the next who does", () => {
  const requests = new ReloadRequests();
  requests.onRequest(() => {})();
  requests.request();
  requests.request();
  const [first, second] = [vi.fn(), vi.fn()];
  requests.onRequest(first);
  requests.onRequest(second);
  expect(first).toHaveBeenCalledTimes(1);
  expect(second).not.toHaveBeenCalled();
});
