import assert from "node:assert/strict";
import { composeScript } from "../../scripts/composeScript.ts";
import { config, ConversionBench } from "./support/conversionBench.ts";
import { runBash } from "./support/runScript.ts";

const guard = "etc/systemd/system/k3s.service.d/60-triad-conversion.conf";
const db = "var/lib/rancher/k3s/server/db";

describe("scripts/k3s-convert.sh, after a power cut", function () {
  this.timeout(120_000);
  let bench: ConversionBench;
  beforeEach(() => {
    bench = new ConversionBench();
    bench.fill();
  });
  afterEach(() => {
    bench.root.remove();
  });

  /** Runs ensure until its main process is about to run a command; then all of it is killed. */
  async function cutAt(condition: string): Promise<void> {
    const text = composeScript("k3s-convert.sh", { CONFIG: config }).replace(
      'main "$@" </dev/null',
      () => `is_moment() { ${condition}; }
        steps=0
        set -T
        trap '((BASH_SUBSHELL == 0)) && : $((++steps)) && is_moment && kill -KILL -- -$$' DEBUG
        main "$@" </dev/null`,
    );
    const place = { ...bench.root, wrapper: ["setsid", "--wait"] };
    const { exitCode, stderr } = await runBash(text, "ensure", place);
    // Only a process that was killed has no exit code.
    assert.equal(exitCode, null, `it was not cut: ${stderr}`);
  }

  function copied(): string {
    return bench.root.read(`${db}/etcd/keys.json`);
  }

  async function healsItself(condition: string): Promise<string> {
    await cutAt(condition);
    bench.boot();
    const served = bench.served().at(-1) ?? "";
    if (served === "etcd") {
      assert.match(copied(), /configmaps\/default\/one/);
    } else {
      assert.equal(served, "sqlite");
      assert.ok(bench.has(`${db}/state.db`) && !bench.has(`${db}/etcd`));
      bench.put({ "/registry/after": "the boot" });
      // A second boot must not bring the older copy back.
      bench.boot();
    }
    await bench.succeed("ensure");
    assert.equal(bench.phase(), "copied");
    assert.equal(bench.served().at(-1), "etcd");
    if (served === "sqlite") assert.match(copied(), /registry\/after/);
    assert.equal(bench.has(guard), false);
    return served;
  }

  const moments: [string, string, "sqlite" | "etcd"][] = [
    ["before the configuration is written", 'write_config "$CONFIG"', "sqlite"],
    ["before k3s is stopped", "stop_k3s", "sqlite"],
    ["before the cold copy", "take_cold_copy", "sqlite"],
    ["in the cold copy, which is not whole", 'sync "$COLD"/*', "sqlite"],
    ["before k3s starts to copy", "start_k3s", "sqlite"],
    ["when all is copied, before the comparison", "note_revision", "etcd"],
    ["after the comparison, before it is noted", "write_phase copied", "etcd"],
    ["before the guard is removed", "remove_guard", "etcd"],
  ];
  for (const [moment, command, serves] of moments) {
    it(`${moment}, the boot serves from ${serves}, and the next run completes`, async () => {
      assert.equal(await healsItself(`[[ $BASH_COMMAND == '${command}' ]]`), serves);
    });
  }

  it("in the middle of k3s's copy, the boot serves from SQLite, and the next run completes", async () => {
    bench.root.write("hangs-at-copy", "");
    const condition =
      "[[ -e $ROOT/var/lib/rancher/k3s/server/db/etcd/keys.json ]] && rm $ROOT/hangs-at-copy";
    assert.equal(await healsItself(condition), "sqlite");
  });

  it("in the middle of going back, the boot serves from SQLite, and the next run completes", async () => {
    bench.root.write("fails-at-copy", "");
    const condition = `[[ $BASH_COMMAND == take_away_all ]] && rm $ROOT/fails-at-copy`;
    assert.equal(await healsItself(condition), "sqlite");
  });

  it("between copy and comparison, a difference is told and not mended: etcd has been served from since", async () => {
    bench.tamper("/registry/secrets/default/s", { value: "other" });
    await cutAt("[[ $BASH_COMMAND == note_revision ]]");
    bench.boot();
    const { exitCode, stderr } = await bench.script("ensure");
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /changed \/registry\/secrets\/default\/s[^]*going back would lose what was written/,
    );
    assert.deepEqual(bench.served(), ["etcd"]);
    assert.equal(bench.phase(), "copying");
  });

  it("the second server may be taken off the list: what was left is cleared up without a restart", async () => {
    await cutAt("[[ $BASH_COMMAND == start_k3s ]]");
    bench.boot();
    const restarts = bench.restarts().length;
    await bench.succeed("restore");
    assert.equal(bench.phase(), "none");
    assert.equal(bench.restarts().length, restarts);
    assert.equal(bench.has("etc/rancher/k3s/config.yaml.d/50-triad.yaml"), false);
    assert.equal(bench.has(guard), false);
  });

  // CUTS="1 2 3 …" tries any step of the script.
  for (const step of process.env["CUTS"]?.split(" ") ?? []) {
    it(`at step ${step}, the next run completes`, async () => {
      await healsItself(`((steps == ${step}))`);
    });
  }
});
