import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { packK3s } from "../../lab/artifacts/k3sProgram.ts";

describe("the double's release is one file", () => {
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "triad-k3s-program-"));
  });
  after(() => rm(folder, { recursive: true }));

  it("the program, an archive of others, its length and a mark", async () => {
    await writeFile(join(folder, "double"), "the double");
    await writeFile(join(folder, "kine"), "a program of its own");
    const target = join(folder, "k3s");
    await packK3s(
      join(folder, "double"),
      [
        { path: "bin/kine", from: join(folder, "kine") },
        { path: "bin/kubelet", linkTo: "kubernetes" },
      ],
      target,
    );
    const packed = await readFile(target);
    assert.equal(packed.subarray(0, 10).toString(), "the double");
    assert.equal(packed.subarray(-8).toString("latin1"), "K3SLAB\0\u0001");
    const length = Number(packed.readBigUInt64BE(packed.length - 16));
    assert.equal(packed.length, 10 + length + 16);
    const archive = gunzipSync(packed.subarray(10, 10 + length)).toString("latin1");
    for (const part of ["bin/kine", "a program of its own", "bin/kubelet", "kubernetes"]) {
      assert.ok(archive.includes(part), part);
    }
  });
});
