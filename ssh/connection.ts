import { createWriteStream, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { pipeline } from "node:stream/promises";
import { Client, type ClientChannel, type ConnectConfig, type ServerHostKeyAlgorithm } from "ssh2";

/** Where a machine answers SSH, and the one host key that it may show. */
export interface SshTarget {
  readonly name: string;
  readonly address: string;
  /** OpenSSH public key line, `ssh-ed25519 AAAA…`. Any other key is refused. */
  readonly hostKey: string;
  readonly ssh: { readonly user: string; readonly port: number };
}

/** How the operator proves who they are: a key file, or the agent at SSH_AUTH_SOCK. */
export interface SshIdentity {
  readonly privateKeyFile?: string | undefined;
  readonly agent: boolean;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why no connection came about; `kind` lets a caller tell a machine that is off from one that must not be trusted. */
export class SshError extends Error {
  readonly kind: "unreachable" | "host-key" | "credentials";

  constructor(kind: SshError["kind"], message: string) {
    super(message);
    this.name = "SshError";
    this.kind = kind;
  }
}

export interface SshConnection {
  readonly target: SshTarget;
  /** Runs one command; what it writes on stderr is also handed to `onProgress`, line by line. */
  run(command: string, input?: string, onProgress?: (line: string) => void): Promise<CommandResult>;
  /** Runs one command and writes what it prints into a file of this computer, byte by byte, mode 0600. */
  download(command: string, file: string): Promise<void>;
  close(): void;
}

/**
 * Connects to a machine whose host key is pinned.
 *
 * @param limitMs how long the dial may take, 10 s unless told
 * @throws SshError
 */
export async function connect(
  target: SshTarget,
  identity: SshIdentity,
  limitMs = 10_000,
): Promise<SshConnection> {
  const client = new Client();
  const seen: { hostKey?: string } = {};
  await new Promise<void>((resolve, reject) => {
    client.once("ready", resolve);
    client.on("error", (error) => reject(explain(target, error, seen.hostKey)));
    client.connect({
      host: target.address,
      port: target.ssh.port,
      username: target.ssh.user,
      readyTimeout: limitMs,
      // A machine whose plug was pulled says nothing: noticed after 15 s. Scripts may be silent for longer, sshd answers.
      keepaliveInterval: 5_000,
      keepaliveCountMax: 2,
      algorithms: { serverHostKey: hostKeyAlgorithms(target.hostKey) },
      hostVerifier: (key: Buffer) => {
        seen.hostKey = key.toString("base64");
        return seen.hostKey === target.hostKey.split(" ")[1];
      },
      ...credentials(identity),
    });
  });
  return {
    target,
    run: (command, input, onProgress) => run(client, target, command, input, onProgress),
    download: (command, file) => download(client, target, command, file),
    close: () => client.end(),
  };
}

function credentials(identity: SshIdentity): Pick<ConnectConfig, "privateKey" | "agent"> {
  if (identity.privateKeyFile !== undefined) {
    return { privateKey: readFileSync(expandHome(identity.privateKeyFile)) };
  }
  const agent = process.env["SSH_AUTH_SOCK"];
  return agent === undefined ? {} : { agent };
}

/** `~/` at the start of a path is the operator's home, as in ssh's own configuration. */
export function expandHome(path: string): string {
  return path.startsWith("~/") ? `${homedir()}${path.slice(1)}` : path;
}

/** Asks for the pinned key's own type; otherwise a server with several keys may show another one. */
function hostKeyAlgorithms(hostKey: string): ServerHostKeyAlgorithm[] {
  const type = hostKey.split(" ")[0];
  switch (type) {
    case "ssh-ed25519":
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521":
      return [type];
    default:
      return ["rsa-sha2-512", "rsa-sha2-256"];
  }
}

function explain(target: SshTarget, error: Error & { level?: string }, shown?: string): SshError {
  const at = `${target.name} (${target.ssh.user}@${target.address}:${target.ssh.port})`;
  if (shown !== undefined && shown !== target.hostKey.split(" ")[1]) {
    return new SshError(
      "host-key",
      `${at} shows another host key than the one pinned: ${shown.slice(0, 44)}…; if the machine was reinstalled, ` +
        `read its key on its own console and put it into machines.${target.name}.hostKey, otherwise somebody else answers there`,
    );
  }
  if (error.level === "client-authentication") {
    return new SshError(
      "credentials",
      `${at} refuses the login; check ssh.user, and that the key's public part is in its authorized_keys`,
    );
  }
  // A machine that is off, or just going, ends in the middle of a handshake too.
  if (/no matching host key/i.test(error.message)) {
    return new SshError(
      "host-key",
      `${at} has no host key of the pinned type ${target.hostKey.split(" ")[0]} (${error.message}); pin a key that it has`,
    );
  }
  return new SshError(
    "unreachable",
    `${at} does not answer SSH (${error.message}); is it on, and is the address right?`,
  );
}

function run(
  client: Client,
  target: SshTarget,
  command: string,
  input = "",
  onProgress?: (line: string) => void,
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const lost = (): void =>
      reject(
        new SshError("unreachable", `the connection to ${target.name} broke during: ${command}`),
      );
    client.once("close", lost);
    open(client, target, command, (error, channel) => {
      if (error !== undefined) {
        client.off("close", lost);
        reject(new SshError("unreachable", `${target.name}: ${error.message}`));
        return;
      }
      let stdout = "";
      let stderr = "";
      let unfinished = "";
      channel.setEncoding("utf8");
      channel.stderr.setEncoding("utf8");
      channel.on("data", (text: string) => (stdout += text));
      channel.stderr.on("data", (text: string) => {
        stderr += text;
        const lines = (unfinished + text).split("\n");
        unfinished = lines.pop() ?? "";
        for (const line of lines) if (line.trim() !== "") onProgress?.(line);
      });
      channel.on("close", (exitCode: number | null) => {
        client.off("close", lost);
        if (exitCode === null) lost();
        else resolve({ exitCode, stdout, stderr });
      });
      channel.end(input);
    });
  });
}

/** On a connection that broke before, the library throws an error of its own. */
function open(
  client: Client,
  { name }: SshTarget,
  command: string,
  opened: (error: Error | undefined, channel: ClientChannel) => void,
): void {
  try {
    client.exec(command, opened);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SshError("unreachable", `the connection to ${name} has broken (${reason})`);
  }
}

async function download(
  client: Client,
  target: SshTarget,
  command: string,
  file: string,
): Promise<void> {
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    open(client, target, command, (error, opened) =>
      error === undefined ? resolve(opened) : reject(error),
    );
  });
  const exitCode = new Promise<number | null>((resolve) => channel.once("exit", resolve));
  channel.stderr.resume();
  await pipeline(channel, createWriteStream(file, { mode: 0o600 }));
  if ((await exitCode) !== 0)
    throw new SshError("unreachable", `${target.name}: ${command} was cut off`);
}
