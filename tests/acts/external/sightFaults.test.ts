import { strict as assert } from "node:assert";
import type { DirectLook, Sight } from "../../../acts/external/lookThrough.ts";
import { nameFault } from "../../../acts/external/nameFault.ts";
import {
  certificateFaults,
  healthCheckSeen,
  sightFaults,
} from "../../../acts/external/sightFaults.ts";
import { stopReport } from "../../../acts/external/watchStop.ts";

const endpoint = { name: "k8s-apiserver.homelab.test", address: "10.0.20.99", port: 6443 };
const servers = ["k8s-master", "k8s-master-2"];

function direct(name: string, status = 200, names = [endpoint.name, endpoint.address]): DirectLook {
  return { name, answer: { fingerprint: name, names, issuer: "CN=kubernetes", status } };
}

const fine: Sight = {
  asked: 12,
  reached: { "k8s-master": 6, "k8s-master-2": 6 },
  unready: {},
  failures: [],
  strangers: [],
  direct: [direct("k8s-master"), direct("k8s-master-2"), { name: "k8s-node1" }],
};

const alone = { "k8s-master": 12 };

describe("what is wrong with an endpoint that somebody else balances", () => {
  const table: readonly [string, Partial<Sight>, readonly RegExp[]][] = [
    ["nothing, where every server was reached", {}, []],
    [
      "a ready server that was never reached, by name",
      { reached: alone },
      [
        /^k8s-master-2: it is ready, and none of 12 connections .* \(k8s-master 12\): .*balance source/,
      ],
    ],
    [
      "not a server that is ill, and so is rightly not reached",
      { reached: alone, direct: [direct("k8s-master"), direct("k8s-master-2", 500)] },
      [],
    ],
    [
      "not a server that is off",
      { reached: alone, direct: [direct("k8s-master"), { name: "k8s-master-2" }] },
      [],
    ],
    [
      "a server that was reached while it was not ready",
      { unready: { "k8s-master-2": 500 } },
      [
        /^k8s-master-2: the endpoint led to it while its \/readyz said 500: .* does not ask \/readyz/,
      ],
    ],
    [
      "connections that lead to somebody who does not serve",
      { failures: ["ECONNREFUSED", "ECONNREFUSED"], asked: 14 },
      [
        /^endpoint: 2 of 14 connections to 10\.0\.20\.99:6443 .*ECONNREFUSED.* health check of the text/,
      ],
    ],
    [
      "that nobody is reached, once and not for each server",
      { reached: {}, failures: ["socket hang up"], asked: 4 },
      [/^endpoint: 10\.0\.20\.99:6443 leads to no server: socket hang up; paste the text/],
    ],
    [
      "a certificate that is nobody's, as of a balancer that ends TLS",
      { reached: {}, strangers: ["CN=pfsense"] },
      [/^endpoint: .* signed by CN=pfsense, that none of the machines shows: .* no SSL offloading/],
    ],
  ];
  for (const [what, change, expected] of table) {
    it(`is ${what}`, () => {
      const faults = sightFaults({ ...fine, ...change }, endpoint, servers);
      assert.equal(faults.length, expected.length, faults.join("\n"));
      for (const [position, pattern] of expected.entries()) {
        assert.match(faults[position] ?? "", pattern);
      }
    });
  }

  it("is a certificate without its name or address, of a server of the list", () => {
    const bare = direct("k8s-master-2", 200, ["kubernetes", endpoint.address]);
    const other = direct("k8s-node1", 200, []);
    const seen = { ...fine, direct: [direct("k8s-master"), bare, other] };
    const [fault, ...more] = certificateFaults(seen, endpoint, servers);
    assert.match(fault ?? "", /^k8s-master-2: .* does not name k8s-apiserver\.homelab\.test,/);
    assert.deepEqual(more, []);
  });

  const names: readonly [string, () => Promise<string[]>, RegExp | undefined][] = [
    ["no fault where it resolves to the address alone", async () => ["10.0.20.99"], undefined],
    [
      "a fault where it has two",
      async () => ["10.0.20.99", "10.0.20.100"],
      /10\.0\.20\.100, not to/,
    ],
    [
      "a fault where nobody knows it",
      () => Promise.reject(new Error("queryA ENOTFOUND")),
      /nothing \(queryA ENOTFOUND\)/,
    ],
  ];
  for (const [what, resolve, expected] of names) {
    it(`says of its name ${what}`, async () => {
      const [fault, ...more] = await nameFault(endpoint, resolve);
      assert.deepEqual(more, []);
      if (expected === undefined) assert.equal(fault, undefined);
      else assert.match(fault ?? "", expected);
    });
  }

  it("asks nobody for a name that is the address", async () => {
    const resolve = () => Promise.reject(new Error("asked"));
    assert.deepEqual(await nameFault({ ...endpoint, name: endpoint.address }, resolve), []);
  });
});

describe("the health check of somebody else's balancer", () => {
  const table: readonly [string, Partial<Sight>, RegExp][] = [
    ["is not seen while every server is ready", {}, /^not seen at work/],
    [
      "is seen where a server that is not ready is left out",
      { reached: alone, direct: [direct("k8s-master"), direct("k8s-master-2", 500)] },
      /^k8s-master-2 was not ready, and no connection led there$/,
    ],
    ["fails where one was reached", { unready: { "k8s-master-2": 500 } }, /^fails: k8s-master-2/],
    ["fails where nobody answered", { failures: ["ECONNREFUSED"] }, /^fails: connections led/],
    ["is not seen through a dead endpoint", { reached: {} }, /^not seen: no server/],
  ];
  for (const [what, change, expected] of table) {
    it(what, () => assert.match(healthCheckSeen({ ...fine, ...change }, servers), expected));
  }

  it("is seen at work while a server stops", () => {
    const seen = [
      { atMs: 0, by: "k8s-master" },
      { atMs: 250, by: "k8s-master-2" },
      { atMs: 5_900, by: "k8s-master-2" },
      { atMs: 9_000, by: "k8s-master" },
    ];
    assert.equal(
      stopReport("k8s-master-2", seen),
      "while k8s-master-2 stopped, 4 connections were made through the endpoint, the last that led to k8s-master-2 came 5.9 s after it was told to end; each was answered",
    );
    assert.match(stopReport("hp", seen), /none led to hp; each was answered$/);
  });

  it("is warned of where clients felt the stop", () => {
    const seen = [
      { atMs: 0, by: "k8s-master" },
      { atMs: 200, failure: "ECONNRESET" },
    ];
    assert.match(
      stopReport("k8s-master", seen),
      /^warning: while k8s-master stopped, .*; 1 ended without an answer \(ECONNRESET\)/,
    );
  });
});
