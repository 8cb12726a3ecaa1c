import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../../tools/toolchain/withLock.ts";
import { cacheFolder, projectFolder } from "../paths.ts";
import { progress } from "../progress.ts";
import { must } from "./shell.ts";

const recipeFolder = join(projectFolder, "lab", "machines", "image");
const suite = "bookworm";

/** What the image is made of; another recipe is another image. */
async function recipe(): Promise<{ packages: string[]; hash: string }> {
  const packages = await readFile(join(recipeFolder, "packages.txt"), "utf8");
  const customize = await readFile(join(recipeFolder, "customize.sh"), "utf8");
  const hash = createHash("sha256").update(`${suite}\n${packages}\n${customize}`).digest("hex");
  return { packages: packages.split("\n").filter((line) => line !== ""), hash: hash.slice(0, 16) };
}

/**
 * The folder with the disk image of all machines, made by mmdebstrap when it is not in the cache
 * (about 90 s). It is only ever a lower layer, so nothing changes it.
 */
export async function ensureImage(): Promise<string> {
  const { packages, hash } = await recipe();
  const folder = join(cacheFolder, "machine-image", hash);
  if (existsSync(folder)) return folder;
  return await withLock(`${folder}.lock`, async () => {
    if (!existsSync(folder)) await makeImage(folder, packages);
    return folder;
  });
}

async function makeImage(folder: string, packages: readonly string[]): Promise<void> {
  progress(`making the machine image (${String(packages.length)} Debian packages, about 90 s)`);
  const making = `${folder}.making`;
  await rm(making, { recursive: true, force: true });
  await mkdir(making, { recursive: true });
  await must([
    "mmdebstrap",
    "--quiet",
    "--variant=minbase",
    "--components=main",
    `--include=${packages.join(",")}`,
    `--customize-hook='${join(recipeFolder, "customize.sh")}' "$1"`,
    suite,
    making,
  ]);
  await rename(making, folder);
}
