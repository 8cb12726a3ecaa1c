import ssh2 from "ssh2";
import type { ConnectConfig, ServerHostKeyAlgorithm } from "ssh2";

import type { Properties } from "../protocol/values.ts";
import { isProperties } from "../protocol/values.ts";
import { numberOf, textOf } from "./inputs.ts";

/** How to reach a machine by SSH, and how often to try. */
export interface ConnectionSettings {
  readonly config: ConnectConfig;
  /** Failed dials that are put up with before giving up; -1 for any number. */
  readonly dialErrorLimit: number;
}

const keepaliveMs = 15_000;
const keepalivesMissed = 9;

/**
 * Reads the `connection` input, with the real plugin's defaults: user root, port 22, ten dial
 * errors, fifteen seconds a dial, the agent of SSH_AUTH_SOCK. Only the given host key is accepted;
 * without one any is.
 * @throws Error when a key cannot be parsed, since no further try would help.
 */
export function connectionSettings(inputs: Properties): ConnectionSettings {
  const connection = inputs["connection"];
  if (!isProperties(connection)) throw new Error("connection: missing");
  if (connection["proxy"] !== undefined) {
    throw new Error("connection.proxy: this stand-in does not imitate proxies");
  }
  const password = textOf(connection, "password");
  const agent = textOf(connection, "agentSocketPath") ?? process.env["SSH_AUTH_SOCK"];
  return {
    dialErrorLimit: numberOf(connection, "dialErrorLimit", 10),
    config: {
      host: textOf(connection, "host") ?? "",
      port: numberOf(connection, "port", 22),
      username: textOf(connection, "user") ?? "root",
      readyTimeout: numberOf(connection, "perDialTimeout", 15) * 1000,
      keepaliveInterval: keepaliveMs,
      keepaliveCountMax: keepalivesMissed,
      ...privateKey(connection),
      ...(password === undefined ? {} : { password, tryKeyboard: true }),
      ...(agent === undefined || agent === "" ? {} : { agent }),
      ...hostKey(textOf(connection, "hostKey")),
    },
  };
}

function privateKey(connection: Properties): Pick<ConnectConfig, "passphrase" | "privateKey"> {
  const key = textOf(connection, "privateKey");
  if (key === undefined) return {};
  const passphrase = textOf(connection, "privateKeyPassword");
  const parsed = ssh2.utils.parseKey(key, passphrase);
  if (parsed instanceof Error) throw new Error(`connection.privateKey: ${parsed.message}`);
  return { privateKey: key, ...(passphrase === undefined ? {} : { passphrase }) };
}

function hostKey(line: string | undefined): Pick<ConnectConfig, "algorithms" | "hostVerifier"> {
  if (line === undefined) return {};
  const parsed = ssh2.utils.parseKey(line);
  if (parsed instanceof Error) throw new Error(`failed to parse host key: ${parsed.message}`);
  const expected = parsed.getPublicSSH();
  return {
    // Asking for this kind of key alone: a machine may have several, and would offer another first.
    algorithms: { serverHostKey: hostKeyAlgorithms(parsed.type) },
    hostVerifier: (offered: Buffer) => offered.equals(expected),
  };
}

function hostKeyAlgorithms(type: string): ServerHostKeyAlgorithm[] {
  switch (type) {
    case "ssh-ed25519":
    case "ecdsa-sha2-nistp256":
    case "ecdsa-sha2-nistp384":
    case "ecdsa-sha2-nistp521":
      return [type];
    case "ssh-rsa":
      return ["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"];
    default:
      throw new Error(`failed to parse host key: ${type} is not supported`);
  }
}
