import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { cacheFolder, projectFolder } from "../paths.ts";
import { progress } from "../progress.ts";
import { makeOnce, removeBeside } from "./makeOnce.ts";
import { ImageStore } from "./imageStore.ts";
import type { TarEntry } from "./tarEntries.ts";
import { artifactVersions } from "./versions.ts";

/** The images that are the lab's own, and flannel's. */
export const imageNames = {
  prober: "docker.io/lab/prober:1",
  flannel: `ghcr.io/flannel-io/flannel:${artifactVersions.flannel}`,
  flannelCni: "ghcr.io/flannel-io/flannel-cni-plugin:v1.6.2-flannel1",
} as const;

/**
 * The store of all images that a lab's cluster pulls, put together from programs when it is not in the cache: each
 * image is a layer with the program at the place where the real image has it.
 * @param recipe the source file that says what is put in
 * @param programs folders that it is made from
 */
export async function ensureImages(
  recipe: string,
  programs: Readonly<Record<string, string>>,
  machineImage: string,
  add: (store: ImageStore) => Promise<void>,
): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify([programs, machineImage]));
  const shared = ["images.ts", "imageStore.ts", "tarEntries.ts", "debianLayer.ts", "versions.ts"];
  const files = shared.map((file) => join(projectFolder, "lab", "artifacts", file));
  for (const file of [recipe, ...files]) hash.update(await readFile(file));
  const kind = basename(recipe, "Artifacts.ts");
  const folder = join(cacheFolder, "container-images", kind, hash.digest("hex").slice(0, 16));
  return await makeOnce(folder, async (making) => {
    await removeBeside(folder);
    progress("putting the container images together");
    const store = new ImageStore(making);
    await add(store);
    await store.close();
  });
}

/** A program where real images have theirs. */
export function program(folder: string, name: string): TarEntry {
  return { path: `/usr/local/bin/${name}`, from: join(folder, name) };
}

/** Adds CoreDNS under a full name. */
export async function addCoreDns(store: ImageStore, name: string, folder: string): Promise<void> {
  const layer = [{ path: "/coredns", from: join(folder, "coredns") }];
  await store.add(name, [layer], { entrypoint: ["/coredns"] });
}

/** Adds pause under a full name. */
export async function addPause(store: ImageStore, name: string, folder: string): Promise<void> {
  const layer = [{ path: "/pause", from: join(folder, "pause") }];
  await store.add(name, [layer], { entrypoint: ["/pause"], user: "65535:65535" });
}

/** Adds the lab's prober. */
export async function addProber(store: ImageStore, folder: string): Promise<void> {
  await store.add(imageNames.prober, [[program(folder, "prober")]], {
    entrypoint: ["/usr/local/bin/prober"],
    command: ["serve"],
    user: "65534:65534",
  });
}
