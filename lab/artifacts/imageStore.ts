import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";
import { writeEntries, type TarEntry } from "./tarEntries.ts";

/** What a container of an image runs when nothing else is said. */
export interface ImageConfig {
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly user?: string;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** The media type under which manifests are served. */
export const manifestType = "application/vnd.oci.image.manifest.v1+json";

/**
 * Images in the layout of a registry: blobs by digest, and a table from names to manifests.
 * @see https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md
 */
export class ImageStore {
  readonly #folder: string;
  readonly #references: Record<string, string> = {};

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Adds an image under its full name, such as `registry.k8s.io/pause:3.10.1`. */
  async add(
    reference: string,
    layers: readonly (readonly TarEntry[])[],
    config: ImageConfig,
  ): Promise<void> {
    const stored: Descriptor[] = [];
    for (const layer of layers) stored.push(await this.#storeLayer(layer));
    const image = {
      architecture: "amd64",
      os: "linux",
      config: {
        Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        ...(config.entrypoint === undefined ? {} : { Entrypoint: config.entrypoint }),
        ...(config.command === undefined ? {} : { Cmd: config.command }),
        ...(config.user === undefined ? {} : { User: config.user }),
      },
      // Layers are not compressed, so what is stored is also what is unpacked.
      rootfs: { type: "layers", diff_ids: stored.map(({ digest }) => digest) },
    };
    const manifest = {
      schemaVersion: 2,
      mediaType: manifestType,
      config: await this.#storeJson(image, "application/vnd.oci.image.config.v1+json"),
      layers: stored,
    };
    this.#references[reference] = (await this.#storeJson(manifest, manifestType)).digest;
  }

  /** Writes the table of names; the store is complete then. */
  async close(): Promise<void> {
    await writeFile(join(this.#folder, "references.json"), JSON.stringify(this.#references));
  }

  async #storeLayer(entries: readonly TarEntry[]): Promise<Descriptor> {
    await mkdir(join(this.#folder, "blobs"), { recursive: true });
    const partial = join(this.#folder, "blobs", "partial");
    const tar = pack();
    const written = pipeline(tar, createWriteStream(partial));
    await Promise.all([written, writeEntries(tar, entries)]);
    const hash = createHash("sha256");
    await pipeline(createReadStream(partial), hash);
    const digest = `sha256:${hash.digest("hex")}`;
    const { size } = await stat(partial);
    await rename(partial, join(this.#folder, "blobs", digest));
    return { mediaType: "application/vnd.oci.image.layer.v1.tar", digest, size };
  }

  async #storeJson(value: unknown, mediaType: string): Promise<Descriptor> {
    const text = JSON.stringify(value);
    const digest = `sha256:${createHash("sha256").update(text).digest("hex")}`;
    await writeFile(join(this.#folder, "blobs", digest), text);
    return { mediaType, digest, size: Buffer.byteLength(text) };
  }
}
