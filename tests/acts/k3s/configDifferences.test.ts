import { strict as assert } from "node:assert";
import * as fc from "fast-check";
import {
  configDifferences,
  refuseElsewhere,
  refuseOverruled,
} from "../../../acts/k3s/configDifferences.ts";
import type { FoundConfig } from "../../../acts/k3s/foundConfig.ts";
import { renderServerConfig } from "../../../acts/k3s/serverConfig.ts";
import type { Flags } from "../../../acts/request.ts";
import { endpoint, file, flags, installed, machine } from "./found.ts";

function seen(changes: Partial<FoundConfig>, wanted: Partial<Flags> = {}): string[] {
  return configDifferences({ ...installed, ...changes }, { ...flags, ...wanted }).map(
    ({ seen: text, critical }) => (critical ? `${text} !` : text),
  );
}
const server = (...args: string[]): Partial<FoundConfig> => ({
  arguments: ["server", ...installed.arguments.slice(1), ...args],
});

describe("a k3s server's configuration", () => {
  it("is that of the config, however it is written", () => {
    assert.deepEqual(seen({}), []);
    assert.deepEqual(seen(server("--flannel-backend=vxlan", "--cluster-cidr=10.42.0.0/16")), []);
    assert.deepEqual(
      seen({
        arguments: ["server"],
        environment: { K3S_KUBECONFIG_MODE: "0644" },
        files: [file("disable+: servicelb\n")],
      }),
      [],
    );
  });

  it("may say of its machine and of the cluster's secrets what it likes", () => {
    const own = [
      "--etcd-s3-secret-key=hush",
      "--node-ip=1.2.3.4",
      "--kubelet-arg=a=b",
      "--token=t",
      "--tls-san=x",
      "--v=4",
    ];
    assert.deepEqual(seen(server(...own)), []);
  });

  const cases: readonly [string, Partial<FoundConfig>, Partial<Flags>, readonly string[]][] = [
    [
      "a flag that the config does not say",
      server("--disable=traefik"),
      {},
      ["it runs with disable=traefik, which the config does not say"],
    ],
    [
      "a critical flag",
      server("--secrets-encryption"),
      {},
      ["it runs with secrets-encryption=true, which the config does not say !"],
    ],
    [
      "a flag that it lacks",
      { arguments: ["server", "--write-kubeconfig-mode=644"] },
      {},
      ["it runs without disable=servicelb, which the config asks for !"],
    ],
    [
      "other networks",
      server("--cluster-cidr=10.50.0.0/16"),
      {},
      ["it runs with cluster-cidr=10.50.0.0/16, which the config does not say !"],
    ],
    [
      "one flag of the API server",
      server("--kube-apiserver-arg=a=1", "--kube-apiserver-arg=b=2"),
      { apiServer: { a: "1", c: "3" } },
      [
        "it runs with kube-apiserver-arg=b=2, which the config does not say",
        "it runs without kube-apiserver-arg=c=3, which the config asks for",
      ],
    ],
    [
      "a schedule of its own",
      server("--etcd-snapshot-retention", "30"),
      {},
      [
        "it runs with etcd-snapshot-retention=30, which the config does not say",
        "it runs without etcd-snapshot-retention=14, which the config asks for",
      ],
    ],
    [
      "a conversion that nobody guards",
      server("--cluster-init"),
      {},
      [
        "it is told cluster-init but runs on SQLite: its next restart would convert it without a guard",
      ],
    ],
    [
      "a word that is no flag",
      server("--debug", "true"),
      {},
      ["its command line has the word true, which is no flag: k3s may ignore what follows it"],
    ],
    [
      "a list said twice",
      { files: [file("disable: [traefik]\n")] },
      {},
      [
        "it is told disable on its command line and otherwise in its files: which one holds depends on the version of k3s",
      ],
    ],
  ];
  for (const [what, changes, wanted, differences] of cases) {
    it(`differs in ${what}`, () => {
      assert.deepEqual(seen(changes, wanted), differences);
    });
  }

  it("is not missed on SQLite where it only means something on etcd", () => {
    const etcd = { etcd: { "heartbeat-interval": "100" } };
    assert.deepEqual(seen({}, etcd), []);
    assert.deepEqual(seen({ datastore: "etcd" }, etcd), [
      "it runs without etcd-arg=heartbeat-interval=100, which the config asks for",
    ]);
  });

  it("is compared in a machine's own flags where the config says them for all", () => {
    const kubelet = { server: { ...flags.server, "kubelet-arg": ["max-pods=200"] } };
    assert.deepEqual(seen(server("--kubelet-arg=max-pods=110"), kubelet), [
      "it runs with kubelet-arg=max-pods=110, which the config does not say",
      "it runs without kubelet-arg=max-pods=200, which the config asks for",
    ]);
  });

  it("once written by Triad is that of the config, whatever flags these are", () => {
    const value = fc.oneof(fc.boolean(), fc.nat(99), fc.stringMatching(/^[a-z0-9/.:=-]{1,12}$/));
    const record = fc.dictionary(fc.stringMatching(/^[a-z]{4,9}$/), fc.stringMatching(/^\w{1,8}$/));
    const any = fc.record({
      server: fc.dictionary(
        fc.constantFrom("disable", "cluster-domain", "etcd-s3", "flannel-backend", "kubelet-arg"),
        fc.oneof(value, fc.array(value, { minLength: 1 })),
      ),
      apiServer: record,
      etcd: record,
      audit: fc.boolean(),
    });
    fc.assert(
      fc.property(any, (wanted) => {
        // Of what is no list the last value counts.
        const {
          "cluster-domain": domain,
          "etcd-s3": s3,
          "flannel-backend": backend,
        } = wanted.server;
        fc.pre([domain, s3, backend].every((one) => !Array.isArray(one)));
        const way = { clusterInit: true } as const;
        const config = renderServerConfig({ machine, endpoint, flags: wanted, way }, installed);
        const bare = { ...installed, arguments: ["server"] };
        assert.doesNotThrow(() => refuseOverruled(bare, config, wanted, "thinkpad"));
      }),
    );
  });
});

describe("another file of k3s's configuration", () => {
  const config = renderServerConfig({ machine, endpoint, flags, way: "keep" }, installed);
  const refuse = (text: string, name: string) => (): void =>
    refuseOverruled({ ...installed, files: [file(text, name)] }, config, flags, "thinkpad");

  it("may say what Triad's overrules", () => {
    assert.doesNotThrow(refuse("disable: [traefik]\n", "config.yaml"));
  });

  it("is refused by name where it has the last word", () => {
    assert.throws(
      refuse("disable: [traefik]\n", "config.yaml.d/90-own.yaml"),
      /it runs with disable=traefik[^]*take it out of \/etc\/rancher\/k3s\/config\.yaml\.d\/90-own\.yaml on thinkpad/,
    );
  });

  it("is refused by name where it says what no server shall say any more", () => {
    assert.throws(refuse("secrets-encryption: true\n", "config.yaml"), /secrets-encryption=true/);
  });
});

describe("a k3s with files in other places", () => {
  it("is refused by name", () => {
    const refuse =
      (...args: string[]) =>
      (): void =>
        refuseElsewhere({ ...installed, ...server(...args) }, "thinkpad");
    assert.doesNotThrow(refuse("--data-dir", "/var/lib/rancher/k3s"));
    assert.throws(refuse("-d", "/mnt/k3s"), /thinkpad is told data-dir=\/mnt\/k3s/);
    assert.throws(refuse("--config=/etc/k3s.yaml"), /config=\/etc\/k3s\.yaml/);
    assert.throws(refuse("--disable-agent"), /disable-agent=true/);
    assert.doesNotThrow(refuse("--https-listen-port=6443"));
    assert.throws(
      refuse("--datastore-endpoint=postgres://u:pw@h/db"),
      (error: Error) =>
        /datastore-endpoint \(not shown\)/.test(error.message) && !error.message.includes("pw"),
    );
  });
});
