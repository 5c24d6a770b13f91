import { matches, type Path, pathText, valueAt } from "../paths.ts";
import { errorAt, type Finding } from "../problems.ts";

const PLACES = ["channels", "computed"].map((part) => `devices.*.${part}.*.home_assistant`);

/** Entities that channels go on as: one channel each, and on topics that Home Assistant listens to. */
export function entityFindings(tree: unknown): Finding[] {
  const prefix = valueAt(tree, ["home_assistant", "discovery_prefix"]) ?? "homeassistant";
  const topics = writtenUnder("migrate_from", tree);
  const elsewhere = topics.filter(({ value }) => !value.startsWith(`${prefix}/`));
  return [
    ...takenTwice(writtenUnder("unique_id", tree)),
    ...takenTwice(topics),
    ...elsewhere.map(({ path }) => errorAt(path, `Home Assistant hears \`${prefix}/…\` alone (\`discovery_prefix\`)`)),
  ];
}

interface Written {
  readonly path: Path;
  readonly value: string;
}

function writtenUnder(key: string, tree: unknown): Written[] {
  return PLACES.flatMap((place) => matches(tree, `${place}.${key}`)).flatMap(({ path, value }) =>
    typeof value === "string" ? [{ path, value }] : [],
  );
}

function takenTwice(all: readonly Written[]): Finding[] {
  return all.flatMap(({ path, value }, index) => {
    const first = all.findIndex((one) => one.value === value);
    const owner = pathText(all[first]?.path ?? []);
    return first < index ? [errorAt(path, `taken already by ${owner}: an entity can go on as one channel`)] : [];
  });
}
