import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectFolder } from "../../lab/paths.ts";
import { lowerLayersIn } from "../../lab/savedState/lowerLayersOf.ts";
import { programHash, programSources } from "../../lab/savedState/programHash.ts";

describe("the layers of a machine's disk", () => {
  const table = [
    "proc /proc proc rw 0 0",
    "triad-lab /lab/one/root overlay rw,relatime,lowerdir=/kept/two/upper:/kept/one/upper:/image,upperdir=/lab/one/upper,workdir=/w 0 0",
    "triad-lab /lab/other/root overlay rw,lowerdir=/image,upperdir=/lab/other/upper 0 0",
  ].join("\n");

  it("are read from the table of mounts, the topmost first", () => {
    assert.deepEqual(lowerLayersIn(table, "/lab/one/root"), [
      "/kept/two/upper",
      "/kept/one/upper",
      "/image",
    ]);
    assert.deepEqual(lowerLayersIn(table, "/lab/other/root"), ["/image"]);
  });

  it("are unknown where nothing is mounted", () =>
    assert.equal(lowerLayersIn(table, "/lab/third/root"), undefined));
});

describe("the program's hash", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "triad-program-"));
    for (const source of programSources)
      await cp(join(projectFolder, source), join(folder, source), { recursive: true });
  });
  after(() => rm(folder, { recursive: true }));

  it("is the same for the same files elsewhere, and another for another line of a script", async () => {
    const before = await programHash();
    assert.equal(await programHash(folder), before);
    await mkdir(join(folder, "lab"), { recursive: true });
    await writeFile(join(folder, "lab", "anything"), "");
    assert.equal(await programHash(folder), before);
    await writeFile(join(folder, "scripts", "lib.sh"), "# another\n");
    assert.notEqual(await programHash(folder), before);
  });
});
