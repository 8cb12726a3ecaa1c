import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { manifestType } from "./imageStore.ts";
import { writeArchive } from "./k3sProgram.ts";
import type { TarEntry } from "./tarEntries.ts";

const descriptor = z.object({ digest: z.string() });
const manifestSchema = z.object({ config: descriptor, layers: z.array(descriptor) });

/**
 * Packs the images of a store whose names begin in some way, as containerd imports them.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md
 */
export async function writeImageArchive(
  store: string,
  beginning: string,
  target: string,
): Promise<void> {
  const table = z
    .record(z.string(), z.string())
    .parse(JSON.parse(await readFile(join(store, "references.json"), "utf8")));
  const blobs = new Set<string>();
  const manifests: unknown[] = [];
  for (const [name, digest] of Object.entries(table)) {
    if (!name.startsWith(beginning)) continue;
    const file = join(store, "blobs", digest);
    const { config, layers } = manifestSchema.parse(JSON.parse(await readFile(file, "utf8")));
    for (const blob of [digest, config.digest, ...layers.map((layer) => layer.digest)]) {
      blobs.add(blob);
    }
    const annotations = { "io.containerd.image.name": name };
    const { size } = await stat(file);
    manifests.push({ mediaType: manifestType, digest, size, annotations });
  }
  const entries: TarEntry[] = [
    { path: "oci-layout", text: JSON.stringify({ imageLayoutVersion: "1.0.0" }) },
    { path: "index.json", text: JSON.stringify({ schemaVersion: 2, manifests }) },
    ...[...blobs].map((digest) => ({
      path: `blobs/${digest.replace(":", "/")}`,
      from: join(store, "blobs", digest),
      mode: 0o644,
    })),
  ];
  await writeArchive(entries, target);
}
