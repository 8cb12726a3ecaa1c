import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import {
  effectiveConfig,
  mergeFiles,
  normalise,
  parseArguments,
} from "../../../acts/k3s/foundConfig.ts";
import { file, installed } from "./found.ts";

const parsed = (...args: string[]): Record<string, readonly string[]> =>
  Object.fromEntries(parseArguments(args).settings);

describe("k3s's command line", () => {
  it("is read with and without =, by short names, by old ones, and with flags said twice", () => {
    assert.deepEqual(
      parsed(
        "server",
        "--disable",
        "traefik",
        "--disable=servicelb",
        "-t",
        "secret",
        "--kube-controller-arg=v=2",
        "--etcd-snapshot-schedule-cron",
        "0 2 * * *",
        "-flannel-backend=host-gw",
      ),
      {
        disable: ["traefik", "servicelb"],
        token: ["secret"],
        "kube-controller-manager-arg": ["v=2"],
        "etcd-snapshot-schedule-cron": ["0 2 * * *"],
        "flannel-backend": ["host-gw"],
      },
    );
  });

  it("does not take what follows a boolean for its value", () => {
    assert.deepEqual(parsed("server", "--cluster-init", "--node-name", "a"), {
      "cluster-init": ["true"],
      "node-name": ["a"],
    });
    assert.deepEqual(parseArguments(["server", "--etcd-expose-metrics", "true"]).stray, ["true"]);
  });

  it("counts the last value of a flag that is no list", () => {
    assert.deepEqual(parsed("server", "--cluster-domain=a", "--cluster-domain=b"), {
      "cluster-domain": ["b"],
    });
  });
});

describe("k3s's configuration files", () => {
  // The example of https://docs.k3s.io/installation/configuration#multiple-config-files
  it("are laid over each other, and key+ adds", () => {
    const merged = mergeFiles([
      "token: boop\nnode-label:\n  - foo=bar\n  - bar=baz\n",
      "write-kubeconfig-mode: 600\nnode-taint:\n  - alice=bob:NoExecute\n",
      "write-kubeconfig-mode: 777\nnode-label:\n  - other=what\n  - foo=three\nnode-taint+:\n  - charlie=delta:NoSchedule\n",
    ]);
    assert.deepEqual(Object.fromEntries(merged), {
      token: ["boop"],
      "node-label": ["other=what", "foo=three"],
      "write-kubeconfig-mode": ["777"],
      "node-taint": ["alice=bob:NoExecute", "charlie=delta:NoSchedule"],
    });
  });

  it("may be empty", () => {
    assert.equal(mergeFiles(["", "# nothing\n"]).size, 0);
  });
});

describe("what holds in the end", () => {
  it("is the command line before files before the environment", () => {
    const { settings } = effectiveConfig({
      ...installed,
      arguments: ["server", "--cluster-domain=line"],
      environment: { K3S_NODE_NAME: "n", K3S_KUBECONFIG_MODE: "644", K3S_TOKEN: "env" },
      files: [file("cluster-domain: file\ntoken: file\n")],
    });
    const said = [...settings].map(([key, { values, source }]) => [key, values[0], source]);
    assert.deepEqual(said.sort(), [
      ["cluster-domain", "line", "arguments"],
      ["node-name", "n", "environment"],
      ["token", "file", "files"],
      ["write-kubeconfig-mode", "644", "environment"],
    ]);
  });

  it("cannot be told of a list that the command line and files say differently", () => {
    const files = [file("disable: traefik\n")];
    assert.deepEqual(effectiveConfig({ ...installed, files }).twice, ["disable"]);
    assert.deepEqual(
      effectiveConfig({ ...installed, files: [file("disable: [servicelb]\n")] }).twice,
      [],
    );
  });
});

describe("the entries of a key", () => {
  const cases: readonly [string, readonly string[], readonly string[]][] = [
    ["disable", ["traefik,servicelb"], ["servicelb", "traefik"]],
    ["kube-apiserver-arg", ["--a=1,2", "b=3"], ["a=1,2", "b=3"]],
    ["cluster-cidr", ["10.42.0.0/16"], []],
    ["flannel-backend", ["vxlan"], []],
    ["secrets-encryption", ["false"], []],
    ["secrets-encryption", ["1"], ["true"]],
    ["tls-san-security", ["true"], []],
    ["tls-san-security", ["false"], ["false"]],
    ["write-kubeconfig-mode", ["0644"], ["644"]],
    ["write-kubeconfig-mode", ["0600"], []],
    ["servicelb-namespace", ["kube-system"], []],
  ];
  for (const [key, values, entries] of cases) {
    it(`${key}=${values.join(" ")} are ${entries.join(" ") || "what k3s does anyway"}`, () => {
      assert.deepEqual(normalise(key, values), entries);
    });
  }

  it("do not depend on order or repetition", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,5}$/)), (values) => {
        const shuffled = [...values, ...values].reverse();
        assert.deepEqual(normalise("disable", shuffled), normalise("disable", [values.join(",")]));
      }),
    );
  });
});
