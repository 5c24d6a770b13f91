import { GatewayError } from "../../core/errors.ts";

/** The first line of standard input; at a terminal it is asked for twice, without showing it. */
export async function readNewPassword(user: string): Promise<string> {
  const password = process.stdin.isTTY ? await askTwice(user) : await firstLine();
  if (password === "") throw new GatewayError("USAGE_INVALID", "the password is empty");
  return password;
}

async function askTwice(user: string): Promise<string> {
  const first = await ask(`Password of ${user}: `);
  if (first !== (await ask("Once more: "))) throw new GatewayError("USAGE_INVALID", "the two passwords differ");
  return first;
}

async function firstLine(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    if ((chunk as Buffer).includes("\n")) break;
  }
  return (Buffer.concat(chunks).toString("utf8").split("\n")[0] ?? "").replace(/\r$/, "");
}

const CTRL_C = "\u0003";
const CTRL_D = "\u0004";
const BACKSPACE = new Set(["\u007f", "\b"]);

function ask(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  stdin.setRawMode(true); // before anyone is asked to type
  stderr.write(prompt);
  stdin.resume();
  return new Promise((resolve, reject) => {
    const typed: string[] = [];
    const take = (chunk: Buffer) => {
      for (const key of chunk.toString("utf8")) {
        if (key === "\r" || key === "\n" || key === CTRL_D) return finish(() => resolve(typed.join("")));
        if (key === CTRL_C) return finish(() => reject(new GatewayError("CANCELLED", "nothing was changed")));
        if (BACKSPACE.has(key)) typed.pop();
        else typed.push(key);
      }
    };
    const finish = (settle: () => void) => {
      stdin.off("data", take);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write("\n");
      settle();
    };
    stdin.on("data", take);
  });
}
