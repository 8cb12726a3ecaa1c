import assert from "node:assert/strict";
import { withVms } from "../support/samplePlan.ts";
import type { Scenario } from "./support/scenario.ts";
import { Stack } from "./support/stack.ts";
import { operationsOf, ranIn, sorted } from "./support/told.ts";

const servers = ["k8s-master"];
const token = "triad@pve!engine=c0ffee00-0000-4000-8000-000000000000";
const proxmox = { checkpoints: { keep: 2, existing: { "k8s-master": 200 } } };

// The act itself is not there: what the engine asks of it, when, and what it remembers.
describe("the engine, with checkpoints before changes", function () {
  this.timeout(300_000);
  let stack: Stack;

  const asked: Partial<Scenario> = { proxmoxToken: token, overrides: withVms({}, proxmox) };
  const onlyCheckpoints = ["update Command homelab-checkpoints"];

  before(async () => {
    stack = await Stack.create("kubeadm");
    const run = await stack.up(servers, asked);
    assert.ok(run.ok, run.output);
    const order = run.entries.map(({ act }) => act);
    assert.ok(order.indexOf("backup") < order.indexOf("checkpoints"));
    assert.ok(order.indexOf("checkpoints") < order.indexOf("controlPlane"));
  });
  after(() => stack.remove());

  it("has nothing to do at a second up", async () => {
    const run = await stack.up(servers, asked);
    assert.deepEqual(operationsOf(run), []);
    assert.deepEqual(ranIn(run), []);
  });

  it("remembers the token as a secret alone", async () => {
    assert.doesNotMatch(await stack.save(), /c0ffee00/);
  });

  it("tells nobody else of another number that are kept, or of another token", async () => {
    const { existing } = proxmox.checkpoints;
    const more = { ...asked, overrides: withVms({}, { checkpoints: { keep: 5, existing } }) };
    assert.deepEqual(operationsOf(await stack.up(servers, more)), onlyCheckpoints);
    const renewed = { ...asked, proxmoxToken: token.replace("c0ffee00", "c0ffee01") };
    assert.deepEqual(operationsOf(await stack.up(servers, renewed)), onlyCheckpoints);
  });

  it("changes nothing but that where nobody asks for them any more, and runs nothing", async () => {
    const run = await stack.up(servers, { proxmoxToken: token, overrides: withVms({}) });
    assert.deepEqual(operationsOf(run), ["delete Command homelab-checkpoints"]);
    assert.deepEqual(ranIn(run), []);
    assert.deepEqual(operationsOf(await stack.up(servers, asked)), [
      "create Command homelab-checkpoints",
    ]);
  });

  it("does all anew on a server whose disk went back, and replaces nothing", async () => {
    const { machines, ...rest } = withVms({}, proxmox);
    const all: Record<string, object> = { ...Object(machines) };
    const rolledBack = "triad-20260101T200000Z";
    const back = { ...all, "k8s-master": { ...all["k8s-master"], rolledBack } };
    const run = await stack.up(servers, { ...asked, overrides: { ...rest, machines: back } });
    assert.deepEqual(
      sorted(operationsOf(run)),
      sorted([
        "update Command homelab-control-plane",
        "update Command k8s-master-kubernetes",
        "update Command k8s-master-membership",
        "update Command k8s-master-preflight",
      ]),
    );
  });
});
