import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { execa } from "execa";

import { buildGoModule } from "../../tools/toolchain/goModule.ts";

describe("a Go module's build", function () {
  this.timeout(60_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "triad-go-"));
    await writeFile(join(folder, "go.mod"), "module triad.invalid/hello\n\ngo 1.21\n");
    await writeFile(join(folder, "go.sum"), "");
    await writeFile(
      join(folder, "main.go"),
      'package main\n\nvar word = "nothing"\n\nfunc main() { println(word) }\n',
    );
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const build = (word: string, sources: readonly string[] = []): Promise<string> =>
    buildGoModule({
      name: "hello",
      version: "1",
      folder,
      packages: { hello: "triad.invalid/hello" },
      sources,
      ldflags: `-X main.word=${word}`,
      cache: join(folder, "cache"),
    });

  it("makes its programs once, and again only for other flags", async () => {
    const hello = join(await build("first"), "hello");
    assert.equal((await execa(hello)).stderr, "first");
    const { mtimeMs } = await stat(hello);
    await build("first");
    assert.equal((await stat(hello)).mtimeMs, mtimeMs);
    await build("second");
    assert.equal((await execa(hello)).stderr, "second");
  });

  it("makes them again when a source of ours has changed", async () => {
    await build("second", ["main.go"]);
    const text = 'package main\n\nvar word = "nothing"\n\nfunc main() { println(word + "!") }\n';
    await writeFile(join(folder, "main.go"), text);
    assert.equal(
      (await execa(join(await build("second", ["main.go"]), "hello"))).stderr,
      "second!",
    );
  });

  it("fails with go's own words, and leaves nothing half made", async () => {
    await writeFile(join(folder, "main.go"), "package main\n\nfunc main() { missing() }\n");
    await assert.rejects(build("third"), /undefined: missing/);
    assert.equal((await execa(join(folder, "cache/go/hello-1/bin/hello"))).stderr, "second!");
  });
});
