import { strict as assert } from "node:assert";
import type { V1Node } from "@kubernetes/client-node";
import { runsServer } from "../../acts/leaveServer.ts";
import { whatBecomes } from "../../acts/leaving.ts";

const marked: V1Node = { metadata: { annotations: { "triad.dev/becomes": "worker" } } };
const worker = "worker" as const;

describe("what a server is once it has left", () => {
  it("is what its config or its Node says", () => {
    const kept = { node: undefined, dataMayGo: false };
    assert.equal(whatBecomes({ becomes: worker }, kept), "worker");
    assert.equal(whatBecomes({}, { ...kept, node: marked }), "worker");
    assert.equal(whatBecomes({}, kept), undefined);
  });

  it("is an empty machine where the whole cluster is wiped", () => {
    const wiped = { node: marked, dataMayGo: true };
    assert.equal(whatBecomes({ becomes: worker }, wiped), "cleaned");
    assert.equal(whatBecomes({}, wiped), "cleaned");
  });
});

describe("a machine of which the cluster knows nothing", () => {
  it("runs a server where somebody listens on its ports", () => {
    const runs = (port: number, process: string) => runsServer({ listeners: [{ port, process }] });
    assert.ok(runs(2379, "etcd"));
    assert.ok(runs(6443, "k3s-server"));
    assert.ok(!runs(6443, "haproxy"));
    assert.ok(!runs(10250, "kubelet"));
    assert.ok(!runsServer({ listeners: [] }));
  });
});
