import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ssh2, { type ServerChannel, type Session } from "ssh2";
import type { Machine } from "../../../acts/request.ts";
import type { SshIdentity } from "../../../ssh/connection.ts";
import { newKey } from "../../support/newKey.ts";

/** What a script's verb ends with: an answer, or an error's text. */
export type Answers = (verb: string, script: string) => object | string;

/** A machine that can be logged in to, and runs no script but answers for it. */
export interface VirtualServer {
  readonly machine: Machine;
  readonly identity: SshIdentity;
  close(): void;
}

/** Starts one on 127.0.0.1. */
export async function startVirtualServer(name: string, answers: Answers): Promise<VirtualServer> {
  const folder = mkdtempSync(join(tmpdir(), "triad-virtual-"));
  const privateKeyFile = join(folder, "key");
  const [host, user] = [newKey(), newKey()];
  writeFileSync(privateKeyFile, user.private, { mode: 0o600 });
  const server = new ssh2.Server({ hostKeys: [host.private] }, (connection) => {
    connection.on("error", () => undefined);
    connection.on("authentication", (attempt) => attempt.accept());
    connection.on("session", (accept) => {
      const session: Session = accept();
      session.on("exec", (acceptCommand, _reject, { command }) => {
        const channel: ServerChannel = acceptCommand();
        let script = "";
        channel.on("data", (piece: Buffer) => (script += piece.toString()));
        // The script is read to its end, as bash would.
        channel.on("end", () => {
          const answer = answers(command.split(" ").at(-1) ?? "", script);
          if (typeof answer === "string") channel.stderr.write(answer);
          else channel.write(`${JSON.stringify(answer)}\n`);
          channel.exit(typeof answer === "string" ? 1 : 0);
          channel.end();
        });
      });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const ssh = { user: "root", port: address.port };
  return {
    machine: { name, nodeName: name, address: "127.0.0.1", hostKey: host.public, ssh },
    identity: { privateKeyFile, agent: false },
    close: () => {
      server.close();
      rmSync(folder, { recursive: true });
    },
  };
}
