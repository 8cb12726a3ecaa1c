import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { filesOfIso } from "../../seed/iso.ts";
import type { Seed } from "./cloudInit.ts";

/** Where cloud-init finds its source NoCloud without a drive, which a container has none of. */
const folderOf = (root: string): string => join(root, "var", "lib", "cloud", "seed", "nocloud");

/** The files of the source. @see https://cloudinit.readthedocs.io/en/22.4.2/topics/datasources/nocloud.html */
const names = ["meta-data", "user-data", "network-config", "vendor-data"] as const;

/** What cloud-init reads, by the files' names. */
export type SeedFiles = Readonly<Partial<Record<(typeof names)[number], string>>>;

/**
 * What cloud-init would find on a machine's drives: an image of somebody's own comes before what Proxmox makes of a
 * configuration, as a machine has one or the other.
 */
export function seedFilesOf(
  discs: readonly Uint8Array[],
  seed: Seed | undefined,
): SeedFiles | undefined {
  for (const disc of discs) {
    const files = filesOn(disc);
    if (files["meta-data"] !== undefined) return onlyNamed(files);
  }
  if (seed === undefined) return undefined;
  return onlyNamed({
    "meta-data": seed.metaData,
    "user-data": seed.userData,
    "network-config": seed.networkConfig,
    "vendor-data": seed.vendorData,
  });
}

/** Puts it on a machine's disk; without any, cloud-init finds none, as on a machine whose drive is empty. */
export async function putSeed(root: string, files: SeedFiles | undefined): Promise<void> {
  const folder = folderOf(root);
  await rm(folder, { recursive: true, force: true });
  if (files === undefined) return;
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text, { mode: 0o600 });
  }
}

function onlyNamed(files: Readonly<Record<string, string | undefined>>): SeedFiles {
  const found = names.flatMap((name) => {
    const text = files[name];
    return text === undefined ? [] : [[name, text] as const];
  });
  return Object.fromEntries(found);
}

/** Other discs than images of this kind hold nothing for cloud-init. */
function filesOn(disc: Uint8Array): Readonly<Record<string, string>> {
  try {
    return filesOfIso(Buffer.from(disc));
  } catch (error) {
    if (error instanceof RangeError) return {};
    throw error;
  }
}
