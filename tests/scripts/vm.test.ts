import assert from "node:assert/strict";
import { FakeRoot } from "./support/fakeRoot.ts";
import { type Run, runScript } from "./support/runScript.ts";

describe("scripts/vm.sh", function () {
  this.timeout(20_000);
  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
  });
  afterEach(() => {
    root.remove();
  });

  /** Runs it on a machine whose cloud-init does this. */
  async function script(cloudInit?: string, variables: Record<string, string> = {}): Promise<Run> {
    if (cloudInit !== undefined) root.command("cloud-init", cloudInit);
    return await runScript("vm.sh", "ensure", { BORN: "one", ...variables }, root);
  }

  it("goes on when cloud-init has done what it was told, and asks it to wait", async () => {
    const { exitCode, result } = await script(
      '[ "$*" = "status --wait --long" ] || exit 9; echo "status: done"',
    );
    assert.equal(exitCode, 0);
    assert.deepEqual(result, { changed: false, cloudInit: "done" });
  });

  it("warns of what cloud-init could do without", async () => {
    const { exitCode, stderr } = await script(
      'echo "..."; echo "status: done"; echo "detail: no NTP"; exit 2',
    );
    assert.equal(exitCode, 0);
    assert.match(stderr, /^warning: cloud-init says on .*: status: done detail: no NTP$/m);
  });

  it("fails with what cloud-init says when it has failed", async () => {
    const { exitCode, stderr } = await script(
      'echo "status: error"; echo "detail: no such user"; exit 1',
    );
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /^error: cloud-init on .* has failed: status: error detail: no such user$/m,
    );
    assert.match(stderr, /make the machine anew/);
  });

  it("does not wait for ever", async () => {
    const { exitCode, stderr } = await script("sleep 60", { BOOT_SECONDS: "1" });
    assert.equal(exitCode, 1);
    assert.match(stderr, /^error: cloud-init on .* is not done after 1 s$/m);
  });

  it("refuses a machine without cloud-init, which nobody has set up", async () => {
    const { exitCode, stderr } = await script();
    assert.equal(exitCode, 1);
    assert.match(stderr, /^error: .* has no cloud-init$/m);
  });

  describe("before the machine is destroyed", () => {
    const etcd = "var/lib/etcd/member/snap/db";
    const sqlite = "var/lib/rancher/k3s/server/db/state.db";
    const unit = "etc/systemd/system/k3s.service";
    const cases: [what: string, files: string[], onDestroy: string, isRefused: boolean][] = [
      ["has left", [], "leave", false],
      ["is a server of kubeadm", [etcd], "leave", true],
      ["is a server of k3s", [unit, sqlite], "leave", true],
      ["is an agent with an old database", [sqlite], "leave", false],
      ["is a server of kubeadm and may be wiped", [etcd], "wipe", false],
    ];
    for (const [what, files, onDestroy, isRefused] of cases) {
      it(`${isRefused ? "refuses" : "lets go"} one that ${what}`, async () => {
        for (const file of files) root.write(file, "");
        const run = await runScript(
          "vm.sh",
          "remove",
          { ON_DESTROY: onDestroy, BORN: "one" },
          root,
        );
        assert.equal(run.exitCode, isRefused ? 1 : 0, run.stderr);
        if (isRefused) assert.match(run.stderr, /is a server still, .*its disk would go with it/);
      });
    }
  });
});
