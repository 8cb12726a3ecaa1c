import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { diskOf } from "../machines/mounts.ts";
import { must } from "../machines/shell.ts";

/** What of containerd's data never changes once written, so that it can be shared by hard links. */
export const unchanging = [
  "io.containerd.content.v1.content/blobs",
  "io.containerd.snapshotter.v1.overlayfs/snapshots",
];

/** Gives a machine, before its first boot, containerd's data as they were kept in `source`: none where it never ran. */
export async function copyContainerd(source: string, machine: string): Promise<void> {
  await copyContainerdData(source, diskOf(machine).containerd);
}

/** Copies containerd's data from folder to folder, while it does not run. */
export async function copyContainerdData(source: string, target: string): Promise<void> {
  await mkdir(target, { recursive: true });
  for (const folder of unchanging.filter((one) => existsSync(join(source, one)))) {
    await mkdir(join(target, folder, ".."), { recursive: true });
    await must(["cp", "-a", "--link", join(source, folder), join(target, folder)]);
  }
  await must(["cp", "-a", "--no-clobber", `${source}/.`, target]);
}
