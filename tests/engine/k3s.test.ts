import assert from "node:assert/strict";
import { homeWithGone } from "../support/samplePlan.ts";
import { Stack } from "./support/stack.ts";
import { membership, operationsOf, ranIn, sorted } from "./support/told.ts";

const three = ["thinkpad-192-168-1-5", "shuttle-192-168-1-12", "hp-192-168-1-6"] as const;
const [a, b, c] = three;

/** What a server has, in the order in which it is deleted. */
function ownOf(name: string): string[] {
  return [
    `Command ${name}-membership`,
    `Command ${name}-keepalived`,
    `Command ${name}-haproxy`,
    `RandomPassword ${name}-stats-password`,
    `LoadBalancer ${name}`,
    `Server ${name}`,
  ];
}

describe("the engine, with a k3s cluster whose servers balance themselves", function () {
  this.timeout(240_000);
  let stack: Stack;
  let whole: string;
  let leave: Record<string, { leave: string; urn: string }>;

  before(async () => {
    stack = await Stack.create("k3s");
    const run = await stack.up(three);
    assert.ok(run.ok, run.output);
    whole = await stack.save();
    leave = await stack.servers();
  });
  after(() => stack.remove());

  for (const name of three) {
    it(`lets ${name} go alone with its load balancer, and the list brings both back`, async () => {
      await stack.restore(whole);
      const gone = await stack.operator(leave[name]?.leave ?? "");
      assert.deepEqual(
        operationsOf(gone),
        ownOf(name).map((one) => `delete ${one}`),
      );
      assert.deepEqual(ranIn(gone), [
        `${name} membership delete`,
        `${name}-keepalived remove`,
        `${name}-haproxy remove`,
      ]);

      const back = await stack.up(three);
      assert.deepEqual(
        sorted(operationsOf(back)),
        sorted(ownOf(name).map((one) => `create ${one}`)),
      );
      assert.deepEqual(ranIn(back), [
        `${name}-haproxy ensure`,
        `${name}-keepalived ensure`,
        `${name} membership create`,
      ]);
    });
  }

  it("makes the last of the list a worker, and tells that before it leaves", async () => {
    await stack.restore(whole);
    const run = await stack.up([a, b]);
    const operations = operationsOf(run);
    assert.deepEqual(sorted(operations.filter((one) => !one.startsWith("delete"))), [
      `create Command ${c}-worker`,
      "update Command homelab-backup",
      "update Command homelab-readiness",
      "update Command homelab-verified",
      `update Command ${c}-kubernetes`,
      `update Command ${c}-preflight`,
      `update Command ${b}-haproxy`,
      `update Command ${b}-keepalived`,
      `update Command ${a}-haproxy`,
      `update Command ${a}-keepalived`,
    ]);
    assert.deepEqual(
      operations.filter((one) => one.startsWith("delete")),
      ownOf(c).map((one) => `delete ${one}`),
    );
    const ran = ranIn(run);
    assert.ok(ran.indexOf(`${c} worker create`) < ran.indexOf(`${c} membership delete`));
  });

  describe("and its initial server gone", () => {
    let gone: string;

    it("asks nobody there, and tells its membership first", async () => {
      await stack.restore(whole);
      const run = await stack.up(three, { overrides: homeWithGone(a), silent: [a] });
      const operations = operationsOf(run);
      assert.ok(
        operations.every((one) => one.startsWith("update ")),
        operations.join("\n"),
      );
      for (const what of ["preflight", "kubernetes", "haproxy", "keepalived", "membership"]) {
        assert.ok(operations.includes(`update Command ${a}-${what}`), what);
      }
      assert.ok(!operations.includes(`update Command ${b}-membership`));
      assert.equal(membership(run, a, "update").request?.["gone"], true);
      assert.deepEqual(
        ranIn(run).filter((one) => one.startsWith(a)),
        [`${a} membership update`],
      );
      gone = await stack.save();
    });

    it("forgets it, once it is off the list, without a word to its machine", async () => {
      await stack.restore(gone);
      const overrides = { ...homeWithGone(a), workers: ["odroid1"] };
      const run = await stack.up([b, c], { overrides, silent: [a] });
      const deleted = operationsOf(run).filter((one) => one.startsWith("delete"));
      assert.deepEqual(
        sorted(deleted),
        sorted(
          [...ownOf(a), `Command ${a}-kubernetes`, `Command ${a}-preflight`, `Machine ${a}`].map(
            (one) => `delete ${one}`,
          ),
        ),
      );
      assert.equal(membership(run, a, "delete").request?.["gone"], true);
      assert.deepEqual(
        ranIn(run).filter((one) => one.startsWith(a)),
        [`${a} membership delete`],
      );
    });

    it("or sets its successor up, even one that has the old host key", async () => {
      await stack.restore(gone);
      const run = await stack.up(three);
      const ran = ranIn(run);
      for (const what of ["preflight", "kubernetes", "haproxy", "keepalived"]) {
        assert.ok(ran.includes(`${a}-${what} ensure`), what);
      }
      assert.ok(!("gone" in (membership(run, a, "update").request ?? {})));
      assert.ok(ran.indexOf(`${a}-keepalived ensure`) < ran.indexOf(`${a} membership update`));
    });
  });

  it("takes a new key to every machine, and a delete of another checkout uses it", async () => {
    await stack.restore(whole);
    await stack.rotateKey();
    const run = await stack.up(three);
    const updated = operationsOf(run);
    assert.equal(updated.length, 14, updated.join("\n"));
    // Acts are told the key's path, and read the file when they need it.
    assert.ok(ranIn(run).every((one) => one.endsWith(" ensure")));

    await stack.checkOut("elsewhere");
    const gone = await stack.destroy(
      ["--target", leave[b]?.urn ?? "", "--target-dependents"],
      "elsewhere",
    );
    assert.deepEqual(
      operationsOf(gone),
      ownOf(b).map((one) => `delete ${one}`),
    );
    assert.match(membership(gone, b, "delete").folder ?? "", /\/elsewhere$/);
  });

  it("destroys everything after the mark of the verification", async () => {
    await stack.up(three);
    const run = await stack.destroy([]);
    assert.ok(run.ok, run.output);
    const ran = ranIn(run);
    const first = (pattern: RegExp): number => ran.findIndex((one) => pattern.test(one));
    assert.equal(ran.indexOf("verification delete"), 0, ran.join("\n"));
    const lastMembership = ran.findLastIndex((one) => one.endsWith("membership delete"));
    assert.ok(lastMembership < first(/-keepalived remove$/), ran.join("\n"));
  });
});
