import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { FakeRoot } from "./support/fakeRoot.ts";
import type { Run } from "./support/runScript.ts";
import { runBash } from "./support/runScript.ts";

/** With real mounts, which end with the run. */
describe("scripts/leave/mounts.sh", function () {
  this.timeout(30_000);

  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
    root.write("tree/a/file", "x");
    root.write("tree/pods/1/config", "x");
    root.write("tree/pods/1/a volume/below", "x");
    root.write("volume/precious", "data");
  });
  afterEach(() => {
    root.remove();
  });

  async function run(body: string): Promise<Run> {
    const read = (name: string): string =>
      readFileSync(new URL(`../../scripts/${name}`, import.meta.url), "utf8");
    const text = [
      "{",
      "set -euo pipefail",
      read("lib.sh"),
      read("leave/mounts.sh"),
      `ensure() { cd "$HOME"; mount --bind volume "tree/pods/1/a volume"; ${body}; }`,
      'main "$@" </dev/null',
      "exit",
      "}",
    ].join("\n");
    // The paths are those of the computer: of its own file systems nothing is touched.
    const place = { root: root.root, environment: { TRIAD_ROOT: "" } };
    return await runBash(text, "ensure", { ...place, wrapper: ["unshare", "--mount"] });
  }

  it("deletes around what is mounted, though it is of the same file system", async () => {
    const { exitCode, stderr } = await run('remove_tree "$HOME/tree"; find tree');
    assert.equal(exitCode, 0, stderr);
    assert.equal(root.read("volume/precious"), "data");
    assert.match(stderr, /^tree\/pods\/1\/a volume\/precious$/m);
    assert.doesNotMatch(stderr, /config|tree\/a\//);
  });

  it("takes off what is mounted, busy or not, and then deletes all", async () => {
    const busy = '(cd "tree/pods/1/a volume" && exec sleep 20) & sleep 0.3';
    for (const before of ["true", busy]) {
      const { exitCode, stderr } = await run(
        `${before}; unmount_below "$HOME/tree"; remove_tree "$HOME/tree"; kill %% 2>/dev/null || true; [[ ! -e tree ]]`,
      );
      assert.equal(exitCode, 0, stderr);
      assert.equal(root.read("volume/precious"), "data");
      root.write("tree/pods/1/a volume/below", "x");
    }
  });

  it("empties a folder that is a link to another disk, or a disk of its own", async () => {
    const { exitCode, stderr } = await run(
      `ln -s "$HOME/tree" link; umount "tree/pods/1/a volume"; mount --bind tree tree
       unmount_below "$HOME/tree"; remove_tree "$HOME/link"; [[ -L link && -d tree && -z $(ls tree) ]]; grep -q "$HOME/tree " /proc/self/mounts`,
    );
    assert.equal(exitCode, 0, stderr);
  });
});
