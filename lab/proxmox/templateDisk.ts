import { rm } from "node:fs/promises";
import { join } from "node:path";
import { mountDisk } from "../machines/mounts.ts";
import { must } from "../machines/shell.ts";
import { projectFolder, statePaths } from "../paths.ts";

/** The disk that templates of the lab have lies among those of machines, and is never booted. */
const template = "proxmox-template";

/**
 * Makes the disk that virtual machines begin with: the machines' image, with cloud-init switched on.
 * @returns its layers, the topmost first
 */
export async function makeTemplateDisk(image: string): Promise<string[]> {
  await rm(statePaths.machine(template), { recursive: true, force: true });
  const { root, upper } = await mountDisk(template, [image]);
  try {
    await must([join(projectFolder, "lab", "proxmox", "template", "prepare.sh"), root]);
  } finally {
    await must(["umount", root]);
  }
  return [upper, image];
}
