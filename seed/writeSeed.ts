import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { isoImage } from "./iso.ts";
import type { NoCloudSeed } from "./cloudInit.ts";

/** By this label cloud-init knows that an image is for it. */
const LABEL = "cidata";

/**
 * Writes a machine's seed as an image for its CD drive, which only its owner may read: the host key is in it.
 *
 * @param file relative to the project; what it is in is made
 * @returns the file's whole path
 */
export function writeSeed(file: string, seed: NoCloudSeed): string {
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, isoImage(LABEL, { ...seed }), { mode: 0o600 });
  // A file that was there keeps its mode when it is written.
  chmodSync(path, 0o600);
  return path;
}
