import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { withLock } from "../../tools/toolchain/withLock.ts";

/**
 * A folder of the cache: made when it is not there, by one run at a time, and never seen half done.
 * @returns the folder
 */
export async function makeOnce(
  folder: string,
  make: (making: string) => Promise<void>,
): Promise<string> {
  const isThere = async (): Promise<boolean> =>
    (await stat(folder).catch(() => undefined)) !== undefined;
  if (await isThere()) return folder;
  return await withLock(`${folder}.lock`, async () => {
    if (await isThere()) return folder;
    const making = `${folder}.making`;
    await rm(making, { recursive: true, force: true });
    await mkdir(making, { recursive: true });
    await make(making);
    await rename(making, folder);
    return folder;
  });
}

/** Removes what lies beside a folder of the cache, earlier versions: nobody asks for them any more. */
export async function removeBeside(folder: string): Promise<void> {
  for (const name of await readdir(dirname(folder))) {
    const path = join(dirname(folder), name);
    if (!path.startsWith(folder)) await rm(path, { recursive: true, force: true });
  }
}
