import { randomBytes, randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { must } from "../machines/shell.ts";
import { writeSecret } from "../machines/writeSecret.ts";
import { statePaths } from "../paths.ts";

/** Whose token Triad uses, as it stands before its secret. */
export const tokenId = "triad@pve!lab";

/**
 * Mints what only this lab's Proxmox and its operator know: the token, what host keys are made of, and an authority with a
 * certificate for the API.
 * @param address of the API
 */
export async function mintProxmox(address: string): Promise<void> {
  const { folder, token, hostKeySeed } = statePaths.proxmox;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeSecret(token, randomUUID());
  await writeSecret(hostKeySeed, randomBytes(48).toString("base64"));
  const openssl = (...args: readonly string[]): Promise<string> =>
    must(["openssl", "req", "-x509", "-nodes", "-newkey", "ed25519", "-days", "30", ...args], {
      cwd: folder,
    });
  await openssl("-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Proxmox of the lab");
  const by = ["-CA", "ca.crt", "-CAkey", "ca.key", "-addext", `subjectAltName=IP:${address}`];
  await openssl("-keyout", "server.key", "-out", "server.crt", "-subj", "/CN=pve1", ...by);
}
