import { dirname } from "node:path";
import { promisify } from "node:util";

import type { SFTPWrapper, Stats } from "ssh2";

/** Is there a directory at this path of the machine? */
export async function isDirectory(sftp: SFTPWrapper, path: string): Promise<boolean> {
  const found = await promisify<Stats | undefined>((done) =>
    // Absence is the usual answer; other failures show when the path is written to.
    sftp.stat(path, (error, stats) => done(null, error === undefined ? stats : undefined)),
  )();
  return found?.isDirectory() ?? false;
}

/** Makes a directory of the machine and those above it. */
export async function makeDirectories(sftp: SFTPWrapper, path: string): Promise<void> {
  if (path === "/" || path === "." || (await isDirectory(sftp, path))) return;
  await makeDirectories(sftp, dirname(path));
  try {
    await promisify<undefined>((done) =>
      sftp.mkdir(path, (error) => done(error ?? null, undefined)),
    )();
  } catch (error) {
    // Another copy may have made it meanwhile.
    if (!(await isDirectory(sftp, path))) throw new Error(`mkdir ${path}`, { cause: error });
  }
}

/** Writes a file of the machine, and makes the directories above it. */
export async function writeRemoteFile(
  sftp: SFTPWrapper,
  path: string,
  content: Buffer,
): Promise<void> {
  await makeDirectories(sftp, dirname(path));
  await promisify<undefined>((done) =>
    sftp.writeFile(path, content, (error) => done(error ?? null, undefined)),
  )();
}
