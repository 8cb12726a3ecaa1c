import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shareFiles } from "../../lab/before/shareFiles.ts";

describe("disks of a snapshot share large files", () => {
  const large = Buffer.alloc(1024 * 1024, "a");
  let root: string;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "triad-share-"));
    for (const disk of ["one", "other"]) await mkdir(join(root, disk, "bin"), { recursive: true });
  });
  after(() => rm(root, { recursive: true }));

  async function inode(path: string): Promise<number> {
    return (await stat(join(root, path))).ino;
  }

  it("that are the same in content and mode, and no others", async () => {
    const other = Buffer.concat([large.subarray(1), Buffer.from("b")]);
    await writeFile(join(root, "one/bin/k3s"), large, { mode: 0o755 });
    await writeFile(join(root, "other/bin/k3s"), large, { mode: 0o755 });
    await writeFile(join(root, "other/bin/data"), large, { mode: 0o600 });
    await writeFile(join(root, "other/bin/kine"), other, { mode: 0o755 });
    await writeFile(join(root, "one/small"), "a");
    await writeFile(join(root, "other/small"), "a");
    await shareFiles([join(root, "one"), join(root, "other")]);
    assert.equal(await inode("one/bin/k3s"), await inode("other/bin/k3s"));
    assert.notEqual(await inode("one/bin/k3s"), await inode("other/bin/data"));
    assert.notEqual(await inode("one/small"), await inode("other/small"));
    assert.deepEqual(await readFile(join(root, "other/bin/kine")), other);
  });
});
