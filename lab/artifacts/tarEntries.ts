import { readFile } from "node:fs/promises";
import type { Pack } from "tar-stream";

/** A file or link to be put into a tar archive; its folders are made. */
export type TarEntry =
  | { readonly path: string; readonly from: string; readonly mode?: number }
  | { readonly path: string; readonly linkTo: string }
  | { readonly path: string; readonly text: string };

/** Writes entries and ends the archive. The same entries always make the same archive. */
export async function writeEntries(tar: Pack, entries: readonly TarEntry[]): Promise<void> {
  const folders = new Set<string>();
  for (const entry of entries) {
    for (const folder of parents(entry.path)) {
      if (folders.has(folder)) continue;
      folders.add(folder);
      tar.entry({ name: `${folder}/`, type: "directory", mode: 0o755, mtime: new Date(0) });
    }
    const name = entry.path.replace(/^\//, "");
    const header = { name, mtime: new Date(0) };
    if ("linkTo" in entry) {
      tar.entry({ ...header, type: "symlink", linkname: entry.linkTo, mode: 0o777 });
    } else if ("text" in entry) {
      tar.entry({ ...header, mode: 0o644 }, entry.text);
    } else {
      const content = await readFile(entry.from);
      await new Promise<void>((resolve, reject) => {
        tar.entry(
          { ...header, mode: entry.mode ?? 0o755, size: content.length },
          content,
          (error) => {
            if (error) reject(error);
            else resolve();
          },
        );
      });
    }
  }
  tar.finalize();
}

function parents(path: string): string[] {
  const parts = path.replace(/^\//, "").split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
}
