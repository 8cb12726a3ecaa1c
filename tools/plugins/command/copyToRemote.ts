import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";

import type { SFTPWrapper } from "ssh2";

import type { Operation, ResourceType } from "../protocol/plugin.ts";
import type { Properties } from "../protocol/values.ts";
import { archiveSignature, assetSignature, isProperties, signatureOf } from "../protocol/values.ts";
import { dial } from "./dial.ts";
import { newId, textOf } from "./inputs.ts";
import { isDirectory, makeDirectories, writeRemoteFile } from "./sftp.ts";

/**
 * A file, a text or a directory copied to a machine; what is already there is overwritten, and
 * deleting the resource deletes nothing. Copies again only when the content or the path changes.
 * @see https://github.com/pulumi/pulumi-command/blob/master/provider/pkg/provider/remote/copyController.go
 */
export const copyToRemote: ResourceType = {
  outputs: [],
  replaces: (input) => input === "triggers",
  check(inputs) {
    const signature = signatureOf(inputs["source"]);
    if (signature === assetSignature || signature === archiveSignature) return [];
    if (typeof inputs["source"] === "string") return []; // not known yet, in a preview
    return [{ property: "asset", reason: "either asset or archive must be set" }];
  },
  async create(inputs, operation) {
    await copy(inputs, operation);
    return { id: newId(""), outputs: {} };
  },
  async update(state, inputs, operation) {
    const key = (of: Properties): string =>
      `${fingerprint(of["source"])} ${String(of["remotePath"])}`;
    if (key(state) !== key(inputs)) await copy(inputs, operation);
    return {};
  },
};

function fingerprint(source: unknown): string {
  const hash = isProperties(source) ? source["hash"] : undefined;
  return typeof hash === "string" && hash !== ""
    ? hash
    : createHash("sha256").update(JSON.stringify(source)).digest("hex");
}

async function copy(inputs: Properties, operation: Operation): Promise<void> {
  const source = inputs["source"];
  const target = textOf(inputs, "remotePath") ?? "";
  if (!isProperties(source)) throw new Error("source: neither an asset nor an archive");
  const client = await dial(inputs, operation);
  try {
    const sftp = await promisify<SFTPWrapper>((done) => client.sftp(done))();
    await copySource(sftp, source, target);
  } finally {
    client.end();
  }
}

async function copySource(sftp: SFTPWrapper, source: Properties, target: string): Promise<void> {
  const text = source["text"];
  const path = textOf(source, "path");
  const assets = source["assets"];
  if (path !== undefined) {
    await copyPath(sftp, path, target);
  } else if (isProperties(assets)) {
    for (const [name, asset] of Object.entries(assets)) {
      if (isProperties(asset)) await copySource(sftp, asset, join(target, name));
    }
  } else if (typeof text === "string") {
    await copyText(sftp, text, target);
  } else {
    throw new Error("source: this stand-in copies texts, files and directories, but no URL");
  }
}

async function copyText(sftp: SFTPWrapper, text: string, target: string): Promise<void> {
  if (await isDirectory(sftp, target)) {
    throw new Error(
      `remote path ${target} is a directory; when using a text asset, remotePath must be a file path`,
    );
  }
  await writeRemoteFile(sftp, target, Buffer.from(text));
}

/** As cp does: into an existing directory under its own name, unless the path ends with a slash. */
async function copyPath(sftp: SFTPWrapper, path: string, target: string): Promise<void> {
  const into = await isDirectory(sftp, target);
  if (!(await stat(path)).isDirectory()) {
    await writeRemoteFile(sftp, into ? join(target, basename(path)) : target, await readFile(path));
    return;
  }
  await copyDirectory(sftp, path, path.endsWith("/") ? target : join(target, basename(path)));
}

async function copyDirectory(sftp: SFTPWrapper, path: string, target: string): Promise<void> {
  await makeDirectories(sftp, target);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const from = join(path, entry.name);
    const to = join(target, entry.name);
    if (entry.isDirectory()) await copyDirectory(sftp, from, to);
    else await writeRemoteFile(sftp, to, await readFile(from));
  }
}
