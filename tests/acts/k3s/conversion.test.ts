import { strict as assert } from "node:assert";
import { ApiException, type V1Lease, type V1Node } from "@kubernetes/client-node";
import { convert, versionToTake } from "../../../acts/k3s/conversion.ts";
import type { LiveCluster } from "../../../acts/liveCluster.ts";
import type { ControlPlaneRequest } from "../../../acts/request.ts";
import { clusterOf, ConnectionDouble, machineOf } from "./doubles.ts";
import { endpoint, flags, installed } from "./found.ts";

const thinkpad = machineOf("thinkpad", "192.168.1.5");

const request: ControlPlaneRequest = {
  distribution: "k3s",
  identity: { agent: false },
  peers: [thinkpad],
  version: "v1.33.5+k3s1",
  initialise: false,
  initialServer: thinkpad,
  endpoint,
  podCidr: "10.42.0.0/16",
  serviceCidr: "10.43.0.0/16",
  clusterName: "homelab",
  flags,
  convert: true,
  keepRunning: [],
};

function node(kubeletVersion: string): V1Node {
  return {
    metadata: {
      name: "thinkpad",
      labels: {
        "node-role.kubernetes.io/control-plane": "true",
        "node-role.kubernetes.io/etcd": "true",
      },
    },
    status: {
      // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the rest is not read
      nodeInfo: { kubeletVersion } as V1Node["status"] extends { nodeInfo?: infer Info }
        ? Info
        : never,
      conditions: [{ type: "EtcdIsVoter", status: "True" }],
    },
  };
}

/** A server in these phases, one each time it is asked; what was run on it, and its workloads: none. */
function server(phases: object[], kubeletVersion = "v1.33.5+k3s1") {
  const connection = new ConnectionDouble(thinkpad, [
    ["migrateFromSQLite", "finish", { changed: true }],
    ["PAYLOAD=", "ensure", { changed: true }],
  ]);
  const run = connection.run.bind(connection);
  connection.run = async (command, text) => {
    const script = text ?? "";
    if (!command.endsWith(" check")) return await run(command, script);
    connection.ran.push({ verb: "check", script });
    const answer = script.includes("migrateFromSQLite")
      ? { convertedAt: null, ...(phases.length > 1 ? phases.shift() : phases[0]) }
      : installed;
    return { exitCode: 0, stdout: `${JSON.stringify(answer)}\n`, stderr: "" };
  };
  const none = async () => ({ items: [] });
  let lease: V1Lease | undefined;
  const store = async ({ body }: { body: V1Lease }) => (lease = body);
  const cluster = {
    ...clusterOf({ connection, nodes: new Map([["thinkpad", node(kubeletVersion)]]) }),
    apps: {
      listDeploymentForAllNamespaces: none,
      listDaemonSetForAllNamespaces: none,
      listStatefulSetForAllNamespaces: none,
    },
    coordination: {
      readNamespacedLease: async () => {
        if (lease === undefined) throw new ApiException(404, "", {}, {});
        return lease;
      },
      createNamespacedLease: store,
      replaceNamespacedLease: store,
    },
  };
  const lines: string[] = [];
  const context = {
    verb: "update" as const,
    previous: null,
    progress: (line: string) => void lines.push(line),
  };
  return {
    connection,
    lines,
    convert: (changes: Partial<ControlPlaneRequest> = {}) =>
      // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the rest of a cluster is not used
      convert(cluster as unknown as LiveCluster, { ...request, ...changes }, context),
    /** What was run under the machine's lock. */
    payload: () => connection.ran.find(({ script }) => script.includes("PAYLOAD="))?.script ?? "",
    verbs: () => connection.ran.map(({ verb }) => verb),
  };
}

describe("a conversion from SQLite to etcd", () => {
  it("only looks where there is nothing to do", async () => {
    for (const state of [
      { phase: "none", datastore: "etcd" },
      { phase: "done", datastore: "etcd" },
    ]) {
      const { convert, verbs } = server([state]);
      await convert();
      assert.deepEqual(verbs(), ["check"]);
    }
    const { convert, verbs } = server([{ phase: "none", datastore: "sqlite" }]);
    await convert({ convert: false });
    assert.deepEqual(verbs(), ["check"]);
  });

  it("runs under the machine's lock with a configuration that has cluster-init, then is finished", async () => {
    const one = server([
      { phase: "none", datastore: "sqlite" },
      { phase: "copied", datastore: "etcd", convertedAt: 1_700_000_000 },
    ]);
    await one.convert();
    assert.match(one.payload(), /VERB='ensure'/);
    assert.match(one.payload(), /cluster-init: true/);
    assert.equal(one.verbs().at(-1), "finish");
  });

  it("goes on where a run was killed before the watchers were restarted, and copies nothing again", async () => {
    const one = server([{ phase: "copied", datastore: "etcd", convertedAt: 1_700_000_000 }]);
    await one.convert();
    assert.equal(one.payload(), "");
    assert.equal(one.verbs().at(-1), "finish");
  });

  it("clears up what an unfinished one left when the second server was taken off the list", async () => {
    const one = server([
      { phase: "put-back", datastore: "sqlite" },
      { phase: "none", datastore: "sqlite" },
    ]);
    await one.convert({ convert: false });
    assert.match(one.payload(), /VERB='restore'/);
    assert.ok(!one.verbs().includes("finish"));
  });

  it("refuses a version that loses what is in SQLite before anything is run", async () => {
    const one = server([{ phase: "none", datastore: "sqlite" }], "v1.33.1+k3s1");
    await assert.rejects(
      one.convert(),
      /runs k3s v1\.33\.1\+k3s1[^]*upgrade k3s to v1\.33\.2\+k3s1/,
    );
    assert.equal(one.payload(), "");
  });

  const versions: [string, string | undefined][] = [
    ["v1.22.1+k3s1", "v1.22.2+k3s1 or later"],
    ["v1.21.14+k3s1", "v1.22.2+k3s1 or later"],
    ["v1.22.2+k3s1", undefined],
    ["v1.30.13+k3s1", "v1.30.14+k3s1"],
    ["v1.31.9+k3s1", "v1.31.10+k3s1"],
    ["v1.32.5+k3s1", "v1.32.6+k3s1"],
    ["v1.33.1+k3s1", "v1.33.2+k3s1"],
    ["v1.33.5+k3s1", undefined],
    ["", "a release that names its version"],
  ];
  for (const [version, cure] of versions) {
    it(`with ${version || "no version"}: ${cure ?? "fine"}`, () => {
      assert.equal(versionToTake(version), cure);
    });
  }
});
