import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

/** Writes a secret as a line that only its owner may read; its folder is made. */
export async function writeSecret(path: string, secret: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  await writeFile(path, `${secret}\n`, { mode: 0o600 });
}
