import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { adjustK3s, ensureConfig, isCurrent, refuseOtherConfig } from "../../../acts/k3s/flags.ts";
import type { FoundConfig } from "../../../acts/k3s/foundConfig.ts";
import { configPath, renderServerConfig } from "../../../acts/k3s/serverConfig.ts";
import type { MembershipRequest } from "../../../acts/request.ts";
import { clusterOf, ConnectionDouble, machineOf } from "./doubles.ts";
import { endpoint, flags, installed, membershipRequestOf } from "./found.ts";

const machine = machineOf("thinkpad", "192.168.1.5");
const request = membershipRequestOf(machine);
const text = renderServerConfig(
  { machine, endpoint, flags, way: { clusterInit: true } },
  installed,
);
const converted: FoundConfig = {
  ...installed,
  arguments: ["server"],
  files: [{ path: configPath, text: text.trimEnd() }],
  datastore: "etcd",
};

describe("a k3s server's configuration is left alone", () => {
  it("where it runs as the config says, without a file of Triad's", () => {
    assert.ok(isCurrent(installed, request));
  });

  it("where Triad's file is as it would be written, with the audit policy asked for", () => {
    assert.ok(isCurrent(converted, request));
    const auditPolicy = "kind: Policy\n";
    const auditPolicySha256 = createHash("sha256").update(auditPolicy).digest("hex");
    assert.ok(isCurrent({ ...converted, auditPolicySha256 }, { ...request, auditPolicy }));
  });

  const changes: readonly [string, Partial<FoundConfig>, Partial<MembershipRequest>][] = [
    ["a flag", {}, { flags: { ...flags, apiServer: { v: "4" } } }],
    ["the endpoint", {}, { endpoint: { ...endpoint, address: "192.168.1.3" } }],
    ["the audit policy", {}, { auditPolicy: "kind: Policy\n" }],
    ["a restart that a run left undone", { restartOwed: true }, {}],
    ["names that a server on etcd lacks", { files: [], arguments: installed.arguments }, {}],
  ];
  for (const [what, found, wanted] of changes) {
    it(`but for ${what}`, () => {
      assert.ok(!isCurrent({ ...converted, ...found }, { ...request, ...wanted }));
    });
  }

  it("and is not touched then", async () => {
    const connection = new ConnectionDouble(machine, [["How k3s is told", "check", converted]]);
    await ensureConfig(clusterOf({ connection }), connection, request, () => undefined);
    assert.equal(connection.ran.length, 1);
  });
});

describe("a k3s server that was found", () => {
  const adjust = async (found: FoundConfig): Promise<{ told: string[]; verbs: string[] }> => {
    const connection = new ConnectionDouble(machine, [
      ["How k3s is told", "check", found],
      ["Keeps k3s from starting on a machine", "ensure", { changed: true }],
    ]);
    const told: string[] = [];
    await adjustK3s(clusterOf({ connection }), connection, request, {
      verb: "create",
      previous: undefined,
      progress: (line) => told.push(line),
    });
    return { told, verbs: connection.ran.map(({ verb }) => verb) };
  };

  it("is told of what comes later, and not touched", async () => {
    const { told, verbs } = await adjust({
      ...installed,
      arguments: installed.arguments.slice(0, 2),
    });
    assert.deepEqual(told, [
      "warning: thinkpad: it runs without write-kubeconfig-mode=644, which the config asks for; it comes with the next change of the flags",
      "warning: the certificate of thinkpad does not name k3s.home.arpa, 192.168.1.2 yet: clients that check it cannot use https://192.168.1.2:8443 before the conversion to etcd",
    ]);
    assert.deepEqual(verbs, ["check"]);
    const onEtcd = await adjust(converted);
    assert.deepEqual(onEtcd.told, []);
    assert.deepEqual(onEtcd.verbs, ["check", "ensure"]);
  });
});

describe("adopting a k3s server", () => {
  const adopt = async (found: FoundConfig, nodes = ["thinkpad"]): Promise<void> => {
    const connection = new ConnectionDouble(machine, [["How k3s is told", "check", found]]);
    const named = new Map(nodes.map((name) => [name, { metadata: { name } }]));
    await refuseOtherConfig(clusterOf({ connection, nodes: named }), request);
  };

  it("takes it as it runs", async () => {
    await adopt(installed);
  });

  it("is refused by the name of each flag that differs, critical ones told as such", async () => {
    const args = [
      "server",
      "--flannel-backend=host-gw",
      "--disable=traefik",
      "--disable=servicelb",
    ];
    await assert.rejects(
      adopt({ ...installed, arguments: [...args, "--write-kubeconfig-mode=644"] }),
      (error: Error) =>
        /configuration of thinkpad is not that of the config:\n {4}it runs with disable=traefik, which the config does not say\n {4}it runs with flannel-backend=host-gw, which the config does not say \(k3s lets no server join that differs in it\)\n/.test(
          error.message,
        ),
    );
  });

  it("is refused in another version, naming both, and where its Node has another name", async () => {
    await assert.rejects(
      adopt({ ...installed, version: "v1.33.6+k3s1" }),
      /thinkpad runs k3s v1\.33\.6\+k3s1, the config says v1\.33\.5\+k3s1/,
    );
    await assert.rejects(adopt(installed, ["lady"]), /the cluster has no Node thinkpad/);
  });
});
