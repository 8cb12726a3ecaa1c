import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cases, nameOf, sampleOf } from "../../lab/crashMatrix/cases.ts";
import { isDone, keepResult, readResults, type Result } from "../../lab/crashMatrix/results.ts";
import { tableOf } from "../../lab/crashMatrix/table.ts";
import { chosenTopology } from "../../lab/topology.ts";

const result: Result = {
  distribution: "k3s",
  step: "backup",
  fault: "pulumi killed",
  stateFound: "1 voter",
  healedBy: "pulumi up",
  seconds: 90,
  writesLost: 0,
  voters: 3,
  converged: true,
  caseSeconds: 150,
  program: "a",
};

for (const distribution of ["k3s", "kubeadm"] as const) {
  describe(`the crash matrix of ${distribution}`, () => {
    const topology = chosenTopology(`lab-${distribution}`);
    const own = cases[distribution];

    it("has at least 30 cases, no two alike", () => {
      const names = own.map((one) => nameOf(one, topology));
      assert.ok(new Set(names).size >= 30, `${names.length} cases`);
      assert.equal(new Set(names).size, names.length);
    });

    it("interrupts about a dozen kinds of step, and each by pulumi's death", () => {
      const steps = new Set(own.map(({ step }) => step.replace(/ (of|by) .*/, "")));
      assert.ok(steps.size >= 10, [...steps].join(", "));
      const killed = own.filter(({ fault }) => fault.what(topology) === "pulumi killed");
      assert.deepEqual(new Set(killed.map(({ step }) => step.replace(/ (of|by) .*/, ""))), steps);
    });

    it("has every kind of fault", () => {
      const faults = own.map(({ fault }) => fault.what(topology)).join("\n");
      for (const kind of [/pulumi killed/, /^SSH to .* cut$/m, /powered off/, /^load balancer/m])
        assert.match(faults, kind);
    });

    it("interrupts what changes the servers in three moments at least", () => {
      const changing = distribution === "k3s" ? "conversion" : "retrofit";
      for (const step of [changing, "join", "leave"]) {
        const inside = own.filter((one) => one.step.startsWith(step));
        assert.ok(new Set(inside.map(({ moment }) => moment.what)).size >= 3, step);
      }
    });

    it("has one of them as its sample", () => {
      const names = sampleOf(topology).map((one) => nameOf(one, topology));
      assert.equal(names.length, 1, names.join("; "));
    });
  });
}

describe("results of the crash matrix", () => {
  let file: string;
  before(async () => {
    file = join(await mkdtemp(join(tmpdir(), "triad-crash-")), "results.json");
  });
  after(() => rm(join(file, ".."), { recursive: true }));

  it("are none at first", () => assert.deepEqual(readResults(file), []));

  it("are kept one by one, each in place of the earlier one of its case", async () => {
    keepResult({ ...result, converged: false, problem: "two voters" }, file);
    keepResult({ ...result, distribution: "kubeadm" }, file);
    keepResult(result, file);
    assert.deepEqual(readResults(file), [{ ...result, distribution: "kubeadm" }, result]);
    assert.ok((await readFile(file, "utf8")).endsWith("]\n"));
  });

  it("spare a case that converged with the same program, and no other", () => {
    const { distribution, step, fault } = result;
    const key = { distribution, step, fault };
    assert.ok(isDone([result], key, "a"));
    assert.ok(!isDone([result], key, "b"));
    assert.ok(!isDone([result], { ...key, fault: "SSH cut" }, "a"));
    assert.ok(!isDone([{ ...result, converged: false }], key, "a"));
  });

  it("are a table that ends in what came out", () => {
    const failed = { ...result, step: "join", converged: false, problem: "two voters" };
    const lines = tableOf([result, { ...failed, writesLost: 2 }]).split("\n");
    assert.match(lines[0] ?? "", /─/);
    assert.equal(lines.at(-2), "✘ join: pulumi killed: two voters");
    assert.equal(
      lines.at(-1),
      "1 of 2 cases converged, 2 acknowledged writes lost; they took 5 min",
    );
  });
});
