// Loaded into a gateway with `--import`: `kill -9` to itself when it logs a text, at once or some milliseconds after that.
// FIELDPOST_KILL_AT is the text, FIELDPOST_KILL_MARK a file that it leaves, so that the next start lives.
import { existsSync, writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";

const { FIELDPOST_KILL_AT: text, FIELDPOST_KILL_MARK: mark, FIELDPOST_KILL_AFTER_MS: afterMs = "0" } = process.env;
if (isMainThread && text && mark) {
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = (chunk, ...rest) => {
    const written = write(chunk, ...rest);
    if (String(chunk).includes(text) && !existsSync(mark)) {
      writeFileSync(mark, "");
      const kill = () => process.kill(process.pid, "SIGKILL");
      if (afterMs === "0") kill();
      else setTimeout(kill, Number(afterMs));
    }
    return written;
  };
}
