import { strict as assert } from "node:assert";
import type { EtcdMember } from "../../acts/etcdMembers.ts";
import { judge, type Judgement } from "../../observe/judge.ts";
import type { MachineFacts, Observation } from "../../observe/observation.ts";
import type { ClusterPlan } from "../../plan/clusterPlan.ts";
import { sampleK3sPlan } from "../support/samplePlan.ts";

const [thinkpad, shuttle, hp, odroid] = [
  "thinkpad-192-168-1-5",
  "shuttle-192-168-1-12",
  "hp-192-168-1-6",
  "odroid1",
];
const adopting = sampleK3sPlan([thinkpad]);
const growing = sampleK3sPlan([thinkpad, shuttle, hp]);
const version = "v1.34.2+k3s1";

const none: MachineFacts["k3s"] = {
  role: "none",
  version: "",
  datastore: "none",
  staleEtcd: false,
};
const agent: MachineFacts["k3s"] = { ...none, role: "agent", version };
const onSqlite: MachineFacts["k3s"] = { ...none, role: "server", version, datastore: "sqlite" };
const onEtcd: MachineFacts["k3s"] = { ...onSqlite, datastore: "etcd" };

function seen(machine: string, facts: Partial<MachineFacts>): Observation {
  const idle = {
    diskFreeGiB: 50,
    memoryMiB: 4000,
    clockMs: 0,
    listeners: [{ port: 22, process: "sshd" }],
    kubeletConf: false,
    adminConf: false,
    etcdData: false,
    k3s: none,
  };
  return { machine, state: "seen", facts: { ...idle, ...facts }, clockDriftMs: 0 };
}

/** What the home looks like before the first run. */
const before = [
  seen(thinkpad, { k3s: onSqlite, listeners: [{ port: 6443, process: "k3s-server" }] }),
  ...[shuttle, hp, odroid].map((name) =>
    seen(name, { k3s: agent, listeners: [{ port: 6444, process: "k3s-agent" }] }),
  ),
];

function judged(
  plan: ClusterPlan,
  odd?: Observation,
  members: EtcdMember[] | undefined = [],
): Judgement {
  const rest = before.filter(({ machine }) => machine !== odd?.machine);
  return judge(plan, odd === undefined ? rest : [...rest, odd], members);
}

describe("the look at a home on k3s", () => {
  it("finds nothing where nothing is wrong, adopting and growing", () => {
    assert.deepEqual(judged(adopting), { faults: [], warnings: [] });
    assert.deepEqual(judged(growing), { faults: [], warnings: [] });
  });

  const refusals: [string, ClusterPlan, Observation, RegExp][] = [
    [
      "an agent to be promoted with too little disk",
      growing,
      seen(shuttle, { k3s: agent, diskFreeGiB: 3 }),
      /^shuttle.*: 3 GiB .*preflight\.diskGiB/,
    ],
    [
      "an agent to be promoted with too little memory",
      growing,
      seen(hp, { k3s: agent, memoryMiB: 512 }),
      /^hp.*: it has 512 MiB/,
    ],
    [
      "an agent to be promoted where something else has etcd's port",
      growing,
      seen(hp, { k3s: agent, listeners: [{ port: 2380, process: "etcd" }] }),
      /^hp.*: port 2380 is taken by etcd/,
    ],
    [
      "a bare machine to become a server where something has a port of k3s",
      growing,
      seen(hp, { listeners: [{ port: 2382, process: "python3" }] }),
      /^hp.*: port 2382 is taken by python3/,
    ],
    [
      "a server where something else has HAProxy's port",
      adopting,
      seen(thinkpad, { k3s: onSqlite, listeners: [{ port: 8443, process: "nginx" }] }),
      /^thinkpad.*: port 8443 is taken by nginx/,
    ],
    [
      "a server where something else has the port of HAProxy's statistics",
      adopting,
      seen(thinkpad, { k3s: onSqlite, listeners: [{ port: 8404, process: "" }] }),
      /^thinkpad.*: port 8404 is taken by another process/,
    ],
    [
      "a server of another version, naming both",
      adopting,
      seen(thinkpad, { k3s: { ...onSqlite, version: "v1.33.5+k3s1" } }),
      /^thinkpad.*: k3s there is v1\.33\.5\+k3s1, version says v1\.34\.2\+k3s1; say v1\.33\.5\+k3s1, or/,
    ],
    [
      "an agent to be promoted of another version",
      growing,
      seen(shuttle, { k3s: { ...agent, version: "v1.34.1+k3s1" } }),
      /^shuttle.*: k3s there is v1\.34\.1\+k3s1/,
    ],
    [
      "a server that would lose its data, naming the version to take",
      growing,
      seen(thinkpad, { k3s: { ...onSqlite, version: "v1.33.1+k3s1" } }),
      /^thinkpad.*: k3s v1\.33\.1\+k3s1 there loses the data .*upgrade it to v1\.33\.2\+k3s1/,
    ],
    [
      "a stale etcd where SQLite is to be converted",
      growing,
      seen(thinkpad, { k3s: { ...onSqlite, staleEtcd: true } }),
      /^thinkpad.*: \/var\/lib\/rancher\/k3s\/server\/db\/etcd lies beside/,
    ],
    [
      "a node of kubeadm",
      adopting,
      seen(odroid, { kubeletConf: true }),
      /^odroid1: it is a node of a kubeadm cluster/,
    ],
    [
      "a silent machine where SQLite is to be converted",
      growing,
      { machine: odroid, state: "silent", reason: "does not answer SSH" },
      /^odroid1: does not answer SSH/,
    ],
  ];
  for (const [what, plan, odd, expected] of refusals) {
    it(`refuses ${what}`, () => {
      const { faults } = judged(plan, odd);
      assert.equal(faults.length, 1, faults.join("\n"));
      assert.match(faults[0] ?? "", expected);
    });
  }

  const accepted: [string, ClusterPlan, Observation][] = [
    [
      "a server's disk and ports as they are",
      growing,
      seen(thinkpad, {
        k3s: onSqlite,
        diskFreeGiB: 1,
        listeners: [6443, 2382, 10250].map((port) => ({ port, process: "k3s-server" })),
      }),
    ],
    [
      "a small worker that is an agent",
      growing,
      seen(odroid, {
        k3s: agent,
        diskFreeGiB: 2,
        memoryMiB: 600,
        listeners: [{ port: 10250, process: "k3s-agent" }],
      }),
    ],
    [
      "an agent's registry mirror on the API's port",
      growing,
      seen(hp, {
        k3s: agent,
        listeners: [{ port: 6443, process: "k3s-agent" }],
      }),
    ],
    [
      "HAProxy on a server",
      adopting,
      seen(thinkpad, {
        k3s: onSqlite,
        listeners: [8443, 8404].map((port) => ({ port, process: "haproxy" })),
      }),
    ],
    [
      "a worker of another version",
      growing,
      seen(odroid, {
        k3s: { ...agent, version: "v1.33.9+k3s1" },
      }),
    ],
    [
      "a version that nobody could tell",
      growing,
      seen(shuttle, { k3s: { ...agent, version: "" } }),
    ],
    [
      "a worker's own program on HAProxy's port",
      growing,
      seen(odroid, {
        k3s: agent,
        listeners: [{ port: 8443, process: "nginx" }],
      }),
    ],
  ];
  for (const [what, plan, odd] of accepted) {
    it(`lets be ${what}`, () => {
      assert.deepEqual(judged(plan, odd).faults, []);
    });
  }

  it("only warns of a stale etcd, or of a silent worker, while one server is adopted", () => {
    const stale = judged(adopting, seen(thinkpad, { k3s: { ...onSqlite, staleEtcd: true } }));
    assert.deepEqual(stale.faults, []);
    assert.match(stale.warnings.join("\n"), /lies beside the SQLite/);
    const silent = judged(adopting, { machine: odroid, state: "silent", reason: "is off" });
    assert.deepEqual(silent, { faults: [], warnings: ["odroid1: is off"] });
  });

  it("asks for every machine where nobody could say who is a member", () => {
    const observations: Observation[] = before.map((seen) =>
      seen.machine === odroid ? { machine: odroid, state: "silent", reason: "is off" } : seen,
    );
    assert.deepEqual(judge(adopting, observations, undefined).faults, [
      "odroid1: is off; start it, or say machines.odroid1.gone: true if it is lost for good",
    ]);
  });

  it("only warns of a member that is ill once three are as the list says", () => {
    const addresses = ["192.168.1.5", "192.168.1.12", "192.168.1.6"];
    const three = addresses.map((address, position) => ({
      id: `${position}`,
      name: address,
      peerAddress: address,
      role: "voter" as const,
      healthy: position !== 2,
      leader: position === 0,
    }));
    const observations = growing.machines.map(({ name, role }) =>
      seen(name, { k3s: role === "server" ? onEtcd : agent }),
    );
    const { faults, warnings } = judge(growing, observations, three);
    assert.deepEqual(faults, []);
    assert.match(warnings.join("\n"), /^etcd: 192\.168\.1\.6 voter unhealthy/);
    // Of those that are to leave one may be ill, the one that stays may not.
    assert.deepEqual(judge(adopting, observations, three).faults, []);
    const others = three.map((member, position) => ({ ...member, healthy: position !== 0 }));
    assert.equal(judge(adopting, observations, others).faults.length, 1);
  });
});
