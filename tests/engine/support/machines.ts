import { once } from "node:events";
import { appendFileSync } from "node:fs";
import ssh2, { type Connection, type ServerChannel, type Session } from "ssh2";
import { newKey } from "../../support/newKey.ts";

/** An SSH server that stands for all machines: it runs nothing, and writes down what it is asked to run. */
export interface Machines {
  readonly port: number;
  readonly hostKey: string;
  /** From now on this key is the only one let in. */
  letIn(publicKey: string): void;
  close(): void;
}

/**
 * Starts it.
 * @param journal gets a line for each command: the user, which is the resource's name, and the verb
 */
export async function startMachines(journal: string): Promise<Machines> {
  const host = newKey();
  let allowed: Buffer | undefined;
  const server = new ssh2.Server({ hostKeys: [host.private] }, (connection) => {
    let user = "";
    connection.on("error", () => undefined);
    connection.on("authentication", (attempt) => {
      user = attempt.username;
      const known =
        attempt.method === "publickey" && allowed !== undefined && attempt.key.data.equals(allowed);
      if (known) attempt.accept();
      else attempt.reject(["publickey"]);
    });
    answerCommands(connection, (command) => {
      const verb = command.split(" ").at(-1);
      appendFileSync(journal, `${JSON.stringify({ who: user, verb })}\n`);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    hostKey: host.public,
    letIn: (publicKey) => {
      const key = ssh2.utils.parseKey(publicKey);
      if (key instanceof Error) throw key;
      allowed = key.getPublicSSH();
    },
    close: () => server.close(),
  };
}

function answerCommands(connection: Connection, tell: (command: string) => void): void {
  connection.on("session", (accept) => {
    const session: Session = accept();
    session.on("env", (acceptVariable) => acceptVariable());
    session.on("exec", (acceptCommand, _reject, { command }) => {
      const channel: ServerChannel = acceptCommand();
      // The script is read to its end, as bash would.
      channel.resume();
      channel.on("end", () => {
        tell(command);
        channel.write("{}\n");
        channel.exit(0);
        channel.end();
      });
    });
  });
}
