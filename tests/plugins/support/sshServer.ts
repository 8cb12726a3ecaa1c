import { spawn } from "node:child_process";
import { once } from "node:events";

import ssh2 from "ssh2";
import type { AuthContext, Connection, ServerChannel, Session } from "ssh2";

import { newKey } from "../../support/newKey.ts";
import { serveFiles } from "./sftpServer.ts";

/** An SSH server on 127.0.0.1 that runs commands on this computer, for one key. */
export interface SshServer {
  readonly port: number;
  /** As it stands in a known_hosts file: kind and key. */
  readonly hostKey: string;
  /** The key that is let in, in OpenSSH's format. */
  readonly privateKey: string;
  /** How many connections were begun, refused ones included. */
  readonly dials: () => number;
  close(): void;
}

/** A new host key's public half, which no server here has. */
export function foreignHostKey(): string {
  return newKey().public;
}

/** Starts the server; every variable that a client sends is accepted. */
export async function startSshServer(): Promise<SshServer> {
  const host = newKey();
  const user = newKey();
  const allowed = ssh2.utils.parseKey(user.public);
  if (allowed instanceof Error) throw allowed;
  let dials = 0;
  const server = new ssh2.Server({ hostKeys: [host.private] }, (connection) => {
    dials += 1;
    connection.on("error", () => undefined);
    connection.on("authentication", (attempt: AuthContext) => {
      const known =
        attempt.method === "publickey" && attempt.key.data.equals(allowed.getPublicSSH());
      if (known) attempt.accept();
      else attempt.reject(["publickey"]);
    });
    serveSessions(connection);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    hostKey: host.public,
    privateKey: user.private,
    dials: () => dials,
    close: () => server.close(),
  };
}

function serveSessions(connection: Connection): void {
  connection.on("session", (accept) => {
    const session: Session = accept();
    const environment: Record<string, string> = {};
    session.on("env", (_accept, _reject, { key, val }) => {
      environment[key] = val;
    });
    session.on("exec", (acceptCommand, _reject, { command }) =>
      run(command, environment, acceptCommand()),
    );
    session.on("sftp", (acceptFiles) => serveFiles(acceptFiles()));
  });
}

function run(command: string, environment: Record<string, string>, channel: ServerChannel): void {
  const child = spawn("/bin/sh", ["-c", command], { env: { ...process.env, ...environment } });
  channel.pipe(child.stdin);
  child.stdin.on("error", () => undefined);
  child.stdout.on("data", (piece) => channel.write(piece));
  child.stderr.on("data", (piece) => channel.stderr.write(piece));
  child.on("close", (status) => {
    channel.exit(status ?? 1);
    channel.end();
  });
}
