import type { Settings } from "../state.ts";

/** Every retained topic that is published for what is on the board now, whether it has a value yet or not. */
export function currentTopics({ options, deps }: Settings): Set<string> {
  const { topics, publish, retainState } = options;
  const ofDevice = (id: string) => {
    const { status, state, config } = topics.device(id);
    return publish.state && retainState ? [status, config, state] : [status, config];
  };
  const devices = deps.board.all().flatMap(({ info }) => ofDevice(info.id));
  // A message that takes the place of others has them cleared itself, once it is out.
  const discovery = deps
    .discovery()
    .flatMap(({ topic, replaces = [] }) => [topic, ...replaces.map((replaced) => replaced.topic)]);
  return new Set([topics.status, topics.info, topics.health, ...devices, ...discovery]);
}
