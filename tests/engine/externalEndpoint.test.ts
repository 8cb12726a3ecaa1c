import assert from "node:assert/strict";
import { withVms } from "../support/samplePlan.ts";
import { type Double, privileges, startDouble } from "../lab/proxmox/support/double.ts";
import type { Scenario } from "./support/scenario.ts";
import { Stack } from "./support/stack.ts";
import { operationsOf, ranIn } from "./support/told.ts";

const three = ["k8s-master", "k8s-master-2", "k8s-master-3"] as const;
const [a, b] = three;

// Whose first server is created, and is the only machine from which the endpoint's record can be written at first.
describe("the engine, with a cluster behind somebody else's balancer", function () {
  this.timeout(300_000);
  let double: Double;
  let stack: Stack;
  let proxmoxToken: string;

  const more = (keys: Readonly<Record<string, unknown>> = {}): Partial<Scenario> => ({
    proxmoxToken,
    overrides: {
      ...withVms({ [a]: { vmId: 200 } }, { endpoint: double.url }),
      endpoint: { name: "k8s-apiserver.homelab.test", address: "10.0.20.99", external: true },
      loadBalancers: [],
      workers: [],
      ...keys,
    },
  });

  before(async () => {
    const secret = crypto.randomUUID();
    const may = [...privileges, "Datastore.Allocate"];
    double = await startDouble({
      taskMs: 300,
      tokens: [{ id: "triad@pve!engine", secret, privileges: may }],
    });
    proxmoxToken = `triad@pve!engine=${secret}`;
    stack = await Stack.create("kubeadm", { SSL_CERT_FILE: double.authority });
    const run = await stack.up(three, more());
    assert.ok(run.ok, run.output);
    const ran = ranIn(run);
    assert.ok(
      ran.indexOf(`${a}-booted ensure`) < ran.indexOf("homelab-dns ensure"),
      ran.join("\n"),
    );
  });
  after(async () => {
    await stack.remove();
    await double.close();
  });

  it("has nothing to do at a second up", async () => {
    assert.deepEqual(operationsOf(await stack.up(three, more())), []);
  });

  it("lets any server go alone, also the one from which the endpoint's record was written", async () => {
    const leave = await stack.servers();
    for (const name of [b, a]) {
      const operations = operationsOf(await stack.operator(leave[name]?.leave ?? ""));
      assert.ok(operations.includes(`delete Command ${name}-membership`), operations.join("\n"));
      const own = new RegExp(` ${name}(?!-\\d)`);
      assert.deepEqual(
        operations.filter((one) => !own.test(one)),
        [],
      );
      assert.ok((await stack.up(three, more())).ok);
    }
  });

  it("asks a machine that is destroyed with its server for nothing, also in a wipe", async () => {
    const wipe = more({ onDestroy: "wipe", wipe: "homelab" });
    assert.ok((await stack.up(three, wipe)).ok);
    const run = await stack.destroy([]);
    const order = operationsOf(run);
    assert.ok(order.includes(`delete VmLegacy ${a}-vm`));
    assert.ok(!ranIn(run).includes("homelab-dns remove"), order.join("\n"));
  });
});
