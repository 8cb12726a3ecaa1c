import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askControl } from "../../../lab/proxmox/askControl.ts";
import { proxmoxBenchText } from "../../../lab/proxmox/benchSummary.ts";
import { serveControl } from "../../../lab/proxmox/control.ts";
import { type MemoryHypervisor, memoryHypervisor } from "../../../lab/proxmox/memoryHypervisor.ts";
import { ask, done } from "./support/client.ts";
import { type Double, startDouble } from "./support/double.ts";

describe("what the lab asks its Proxmox behind the API", () => {
  let folder: string;
  let double: Double;
  let hypervisor: MemoryHypervisor;
  let end: () => void;
  const control = (what: string, body?: unknown): Promise<unknown> =>
    askControl(what, body, join(folder, "control.sock"));

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "triad-control-"));
    hypervisor = memoryHypervisor();
    double = await startDouble({ taskMs: 1, hypervisor });
    end = await serveControl(double, join(folder, "control.sock"));
    const clone = { newid: "100", name: "a", full: "1" };
    assert.equal(await done(double, "POST", "/nodes/pve1/qemu/9000/clone", clone), "OK");
  });
  afterEach(async () => {
    end();
    await double.close();
    await rm(folder, { recursive: true });
  });

  it("tells what was asked, what was refused, and how much was changed", async () => {
    await ask(double, "GET", "/nothing/of/this");
    assert.deepEqual(await control("asked"), {
      names: [
        "GET /nodes/:node/tasks/:upid/status",
        "GET /nothing/of/this",
        "POST /nodes/:node/qemu/:vmid/clone",
        ...["full", "name", "newid"].map((key) => `POST /nodes/:node/qemu/:vmid/clone ${key}`),
      ],
      refused: ["501 GET /nothing/of/this"],
      changes: 1,
    });
  });

  it("tells which machines there are, without templates", async () => {
    const machine = { id: 100, name: "a", node: "pve1", memoryBytes: 2 ** 31, cpus: 2 };
    assert.deepEqual(await control("machines"), [{ ...machine, runs: false }]);
    assert.equal(await done(double, "POST", "/nodes/pve1/qemu/100/status/start"), "OK");
    assert.deepEqual(await control("machines"), [{ ...machine, runs: true }]);
  });

  it("brings a fault and lifts it, and takes no other", async () => {
    await control("fault", { kind: "595", node: "pve1" });
    assert.equal((await ask(double, "GET", "/nodes/pve1/qemu")).status, 595);
    await control("lift");
    assert.equal((await ask(double, "GET", "/nodes/pve1/qemu")).status, 200);
    await assert.rejects(control("fault", { kind: "flood" }), /kind/);
  });

  it("does by hand what an administrator does, and waits for it", async () => {
    await control("hand", { method: "DELETE", path: "/nodes/pve1/qemu/100" });
    assert.deepEqual(await control("machines"), []);
    await assert.rejects(control("hand", { method: "GET", path: "/nodes/pve1/qemu/100/config" }));
  });

  it("has nothing else", () => assert.rejects(control("world"), /there is no world/));

  it("a machine that was switched on behind Proxmox' back is seen to run", async () => {
    const note = hypervisor.notes.get(100);
    assert.ok(note);
    note.running = true;
    const { data } = (await ask(double, "GET", "/nodes/pve1/qemu/100/status/current")).body;
    assert.equal(data.status, "running");
  });
});

describe("the bench of machines", () => {
  it("tells each step, and of each run what took longest", () => {
    const step = (name: string, startMs: number, endMs: number) => ({ name, startMs, endMs });
    const text = proxmoxBenchText({
      stack: "lab-proxmox-new",
      fromNothing: { tookMs: 90_000, steps: [step("k8s-master-vm", 1000, 4000)] },
      fleet: [
        {
          machines: 3,
          tookMs: 20_000,
          steps: [
            step("node-01-vm", 0, 2000),
            step("node-02-vm", 0, 3500),
            step("node-01-booted", 2000, 9000),
          ],
        },
      ],
      destroyMs: 5000,
    });
    assert.match(text, /from nothing to three servers: 90\.0 s/);
    assert.match(text, /k8s-master-vm.*1\.0 s.*3\.0 s/);
    assert.match(text, /3 .*20\.0 s.*0\.0 s.*3\.5 s.*7\.0 s/);
    assert.match(text, /destroyed: 5\.0 s/);
  });
});
