import { strict as assert } from "node:assert";
import { judgeOthers, type Other } from "../../../acts/recovery/others.ts";
import { machineOf } from "../k3s/doubles.ts";

const seen = (state: Other["state"], reason?: string): Other => ({
  machine: machineOf("hp", "192.168.1.7"),
  state,
  ...(reason === undefined ? {} : { reason }),
});

describe("whether the other servers are lost", () => {
  const cases: [string, Other, string[], string[], { fault?: RegExp; warning?: RegExp }][] = [
    ["an etcd that runs", seen("runs"), ["hp"], [], { fault: /hp answers, and its etcd runs/ }],
    ["one that runs and is not listed", seen("runs"), [], [], { fault: /its etcd runs/ }],
    ["a machine that can't be looked at", seen("unseen", "no sudo"), [], [], { fault: /no sudo/ }],
    ["silence", seen("silent", "timeout"), ["hp"], [], { warning: /must be off.*\(timeout\)/ }],
    ["silence of a worker", seen("silent"), [], [], {}],
    [
      "silence to the operator alone",
      seen("silent"),
      ["hp"],
      ["192.168.1.7:2380"],
      { fault: /the survivor reaches 192\.168\.1\.7:2380/ },
    ],
    ["another host key", seen("another", "reinstalled?"), ["hp"], [], { warning: /another host/ }],
    ["a stopped server", seen("stopped"), ["hp"], [], { warning: /with nothing lost/ }],
    ["a machine without anything of a server", seen("none"), ["hp"], [], {}],
  ];
  for (const [what, other, lost, answering, { fault, warning }] of cases) {
    it(`${what}: ${fault ? "refused" : warning ? "told" : "nothing to say"}`, () => {
      const { faults, warnings, toFence } = judgeOthers([other], lost, answering);
      assert.equal(faults.length, fault ? 1 : 0);
      assert.equal(warnings.length, warning ? 1 : 0);
      if (fault) assert.match(faults[0] ?? "", fault);
      if (warning) assert.match(warnings[0] ?? "", warning);
      assert.deepEqual(
        toFence.map(({ name }) => name),
        other.state === "stopped" ? ["hp"] : [],
      );
    });
  }

  it("an address that only begins alike is another machine's", () => {
    const { faults } = judgeOthers([seen("silent")], ["hp"], ["192.168.1.70:2380"]);
    assert.deepEqual(faults, []);
  });
});
