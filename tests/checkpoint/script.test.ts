import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { FakeRoot } from "../scripts/support/fakeRoot.ts";
import { type Run, runScript } from "../scripts/support/runScript.ts";

const boot = "0b1c2d3e-0000-4000-8000-000000000001";
const guard = "etc/systemd/system/kubelet.service.d/91-triad-checkpoint.conf";
const bootId = "proc/sys/kernel/random/boot_id";

describe("scripts/checkpoint.sh", function () {
  this.timeout(20_000);
  let root: FakeRoot;
  beforeEach(() => {
    root = new FakeRoot();
    root.write(bootId, `${boot}\n`);
    root.write("sys/class/net/eth0/address", "bc:24:11:00:00:01\n");
    root.write("sys/class/net/lo/address", "");
    root.recorded("systemd-run");
    // It shows what it has read, as systemd does.
    root.recorded(
      "systemctl",
      `case "$1" in
        show) sed -n 's/^ExecCondition=/ExecCondition={ path=grep ; argv[]=/p' "$TRIAD_ROOT/${guard}" ;;
        is-active)
          sed -n 1p "$TRIAD_ROOT/states" 2>/dev/null || { echo inactive; exit 3; }
          sed -i 1d "$TRIAD_ROOT/states" ;;
      esac`,
    );
  });
  afterEach(() => {
    root.remove();
  });

  async function run(verb: string, variables: Record<string, string> = {}): Promise<Run> {
    const told = { UNIT: "kubelet", CHECKPOINT: "triad-20260101T200000Z", SECONDS_TO_LIVE: "900" };
    return await runScript("checkpoint.sh", verb, { ...told, ...variables }, root);
  }

  it("lets the server start in this boot alone", async () => {
    const { exitCode, result, stderr } = await run("ensure");
    assert.equal(exitCode, 0, stderr);
    assert.deepEqual(result, { changed: true });
    const [condition] = /^ExecCondition=.*$/m.exec(root.read(guard)) ?? [];
    assert.match(
      condition ?? "",
      new RegExp(`^ExecCondition=/\\S*/grep -qsx ${boot} /proc/sys/kernel/random/boot_id$`),
    );
    assert.ok(root.calls("systemctl").includes("daemon-reload"));
  });

  it("goes by itself, should whoever is to take it away be killed", async () => {
    await run("ensure");
    const [call = ""] = root.calls("systemd-run");
    assert.match(
      call,
      /--on-active 900 \/bin\/sh -c rm -f '.*91-triad-checkpoint\.conf'; systemctl daemon-reload$/,
    );
  });

  it("tells what it is, in the boot that it was written in and in another", async () => {
    const state = async () => (await run("check")).result;
    const none = { guarded: false, here: false, active: false, checkpoint: "" };
    const macs = ["bc:24:11:00:00:01"];
    assert.deepEqual(await state(), { ...none, macs });
    await run("ensure");
    root.write("states", "active\n");
    const there = { guarded: true, here: true, active: true, checkpoint: "triad-20260101T200000Z" };
    assert.deepEqual(await state(), { ...there, macs });
    root.write(bootId, "0b1c2d3e-0000-4000-8000-000000000002\n");
    // Just booted, it is about to be skipped.
    root.write("states", "activating\nactivating\ninactive\n");
    assert.deepEqual(await state(), { ...there, here: false, active: false, macs });
  });

  it("is taken away without a trace, and says whether it was there until then", async () => {
    await run("ensure");
    const before = root.calls("systemctl").length;
    const first = await run("remove");
    assert.deepEqual(first.result, { changed: true, was: true });
    assert.equal(existsSync(root.at("etc/systemd/system/kubelet.service.d")), false);
    assert.deepEqual((await run("remove")).result, { changed: false, was: false });
    // Else it would run out in the middle of the next checkpoint.
    const calls = root.calls("systemctl").slice(before);
    assert.ok(calls.includes("stop triad-checkpoint-guard.timer"));
  });

  it("leaves the unit's other settings alone", async () => {
    root.write("etc/systemd/system/kubelet.service.d/20-mine.conf", "[Service]\n");
    await run("ensure");
    await run("remove");
    assert.equal(root.read("etc/systemd/system/kubelet.service.d/20-mine.conf"), "[Service]\n");
  });

  it("makes way for the server, and tells the time before", async () => {
    await run("ensure");
    const before = Math.floor(Date.now() / 1_000);
    const { result } = await run("start");
    assert.ok(result !== null && typeof result === "object" && "at" in result);
    assert.ok(Number(result.at) >= before);
    assert.equal(existsSync(root.at(guard)), false);
    const calls = root.calls("systemctl");
    assert.ok(calls.indexOf("start --no-block kubelet") > calls.lastIndexOf("daemon-reload"));
  });

  it("of another boot is not written over: the server has old data", async () => {
    await run("ensure");
    const before = root.read(guard);
    root.write(bootId, "0b1c2d3e-0000-4000-8000-000000000002\n");
    const { exitCode, stderr } = await run("ensure", { CHECKPOINT: "triad-20260202T200000Z" });
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /^error: this machine was rolled back to triad-20260101T200000Z, or lost its power/m,
    );
    assert.match(stderr, /make rollback SERVER=<its name> CHECKPOINT=triad-20260101T200000Z/);
    assert.equal(root.read(guard), before);
  });

  it("is no good where systemd does not heed it, and says so", async () => {
    root.recorded("systemctl");
    const { exitCode, stderr } = await run("ensure");
    assert.equal(exitCode, 1);
    assert.match(stderr, /^error: systemd does not heed .*91-triad-checkpoint\.conf$/m);
    assert.equal(existsSync(root.at(guard)), false);
  });
});
