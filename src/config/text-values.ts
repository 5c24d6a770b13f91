import { didYouMean } from "./suggest.ts";
import type { ResolveText } from "./yaml/source.ts";

/** Where `!secret`, `!credential` and `${NAME}` get their values. */
export interface ValueSources {
  /** Values of `!secret NAME`; where they come from, for the error. */
  readonly secrets: ReadonlyMap<string, string>;
  readonly secretsFrom: string;
  /** Values of systemd credentials; `undefined` where the service has none. */
  readonly credentials: ReadonlyMap<string, string> | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const SUBSTITUTION = /\$\$\{|\$\{([^}]*)(\}?)/g;
/** `NAME`, or `NAME:-` and what stands for it where it is not set or empty, as in a shell. */
const ENV_NAME = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/;

/** Text of the configuration with its references resolved. */
export function textResolver(sources: ValueSources): ResolveText {
  return (text, tag, report) => {
    if (tag === "!secret") return secretOf(text, sources, report);
    if (tag === "!credential") return credentialOf(text, sources, report);
    return text.includes("${") ? substitute(text, sources.env, report) : text;
  };
}

function secretOf(name: string, sources: ValueSources, report: (message: string) => void): string | undefined {
  const value = sources.secrets.get(name) ?? sources.credentials?.get(name);
  if (value === undefined) {
    const hint = didYouMean(name, [...sources.secrets.keys()]);
    report(`no secret of this name in ${sources.secretsFrom}${hint || ": add a line `NAME: value`"}`);
  }
  return value;
}

function credentialOf(
  name: string,
  { credentials }: ValueSources,
  report: (message: string) => void,
): string | undefined {
  const value = credentials?.get(name);
  if (value !== undefined) return value;
  report(
    credentials
      ? `no credential of this name${didYouMean(name, [...credentials.keys()]) || ": add `LoadCredential=` to the unit"}`
      : "there are no systemd credentials here ($CREDENTIALS_DIRECTORY is not set): add `LoadCredential=` to the unit, or use `!secret`",
  );
  return undefined;
}

/** `${NAME}` is the environment's value, `${NAME:-5}` that or 5, `$${` is a plain `${`. */
function substitute(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  report: (message: string) => void,
): string | undefined {
  let complete = true;
  const fail = (message: string): string => {
    complete = false;
    report(message);
    return "";
  };
  const result = text.replaceAll(
    SUBSTITUTION,
    (whole: string, inside: string | undefined, brace: string | undefined) => {
      if (whole === "$${") return "${";
      const [, name, fallback] = (brace && inside && ENV_NAME.exec(inside)) || [];
      if (name === undefined)
        return fail(
          `"\${" begins the name of an environment variable, as in "\${NAME}"; write "$\${" for the characters themselves`,
        );
      if (fallback !== undefined) return env[name] || fallback;
      return env[name] ?? fail(`the environment has no ${name}: set it, for instance by \`Environment=\` in the unit`);
    },
  );
  return complete ? result : undefined;
}
