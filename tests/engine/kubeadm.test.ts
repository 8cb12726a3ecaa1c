import assert from "node:assert/strict";
import { withGone } from "../support/samplePlan.ts";
import { Stack } from "./support/stack.ts";
import { membership, operationsOf, ranIn, sorted } from "./support/told.ts";

const three = ["k8s-master", "k8s-master-2", "k8s-master-3"] as const;
const [a, b, c] = three;

// The engine takes seconds a run; a state that is put back saves some of them.
describe("the engine, with a kubeadm cluster behind two load balancers", function () {
  this.timeout(240_000);
  let stack: Stack;
  let whole: string;
  let nonces: ReadonlyMap<string, string | undefined>;
  let leave: Record<string, { leave: string; urn: string }>;

  before(async () => {
    stack = await Stack.create("kubeadm");
    const run = await stack.up(three);
    assert.ok(run.ok, run.output);
    whole = await stack.save();
    nonces = new Map(three.map((name) => [name, membership(run, name, "create").nonce]));
    leave = await stack.servers();
  });
  after(() => stack.remove());

  it("has nothing to do at a second up", async () => {
    const run = await stack.up(three);
    assert.deepEqual(operationsOf(run), []);
    assert.deepEqual(ranIn(run), []);
  });

  for (const name of three) {
    it(`lets ${name} go alone by the output's command, and the list brings it back`, async () => {
      await stack.restore(whole);
      const gone = await stack.operator(leave[name]?.leave ?? "");
      assert.deepEqual(operationsOf(gone), [
        `delete Command ${name}-membership`,
        `delete Server ${name}`,
      ]);
      assert.deepEqual(ranIn(gone), [`${name} membership delete`]);
      assert.equal(membership(gone, name, "delete").nonce, nonces.get(name));

      const back = await stack.up(three);
      assert.deepEqual(operationsOf(back), [
        `create Server ${name}`,
        `create Command ${name}-membership`,
      ]);
      assert.deepEqual(ranIn(back), [`${name} membership create`]);
    });
  }

  it("deletes a server's component only together with what is in it", async () => {
    await stack.restore(whole);
    const { ok, output, entries } = await stack.destroy(["--target", leave[b]?.urn ?? ""]);
    assert.equal(ok, false);
    assert.match(output, /pass --target-dependents to proceed/);
    assert.deepEqual(entries, []);
  });

  it("takes the last of the list away with four updates, and replaces nothing", async () => {
    await stack.restore(whole);
    const run = await stack.up([a, b]);
    const operations = operationsOf(run);
    assert.deepEqual(sorted(operations.filter((one) => !one.startsWith("delete"))), [
      "update Command homelab-backup",
      "update Command homelab-verified",
      "update Command lb1-haproxy",
      "update Command lb2-haproxy",
    ]);
    assert.deepEqual(
      operations.filter((one) => one.startsWith("delete")),
      [
        `delete Command ${c}-membership`,
        `delete Server ${c}`,
        `delete Command ${c}-kubernetes`,
        `delete Command ${c}-preflight`,
        `delete Machine ${c}`,
      ],
    );
    assert.deepEqual(ranIn(run).slice(-2), [`${c} membership delete`, `${c}-kubernetes remove`]);
  });

  it("creates what is of a machine that is gone already without dialling it", async () => {
    const run = await stack.up(three, { overrides: withGone(c), silent: [c] });
    assert.deepEqual(sorted(operationsOf(run).filter((one) => one.startsWith("create"))), [
      `create Command ${c}-kubernetes`,
      `create Command ${c}-membership`,
      `create Command ${c}-preflight`,
      `create Machine ${c}`,
      `create Server ${c}`,
    ]);
    assert.equal(membership(run, c, "create").request?.["gone"], true);
    assert.deepEqual(
      ranIn(run).filter((one) => one.startsWith(c)),
      [`${c} membership create`],
    );
  });

  it("takes the initial server away like any other: who had to reach it looks for the next", async () => {
    await stack.restore(whole);
    const run = await stack.up([b, c]);
    const operations = operationsOf(run);
    assert.deepEqual(sorted(operations.filter((one) => !one.startsWith("delete"))), [
      "update Command homelab-backup",
      "update Command homelab-verified",
      `update Command ${b}-preflight`,
      `update Command ${c}-preflight`,
      "update Command lb1-haproxy",
      "update Command lb1-preflight",
      "update Command lb2-haproxy",
      "update Command lb2-preflight",
    ]);
    assert.deepEqual(operations.slice(-5)[0], `delete Command ${a}-membership`);
  });

  it("with --replace makes the new membership first, then asks the old one's delete by its nonce", async () => {
    await stack.restore(whole);
    const urn = leave[b]?.urn.replace("::k8s", `$command:local:Command::k8s`) ?? "";
    const run = await stack.up(three, {}, "--replace", `${urn}-membership`);
    assert.deepEqual(operationsOf(run), [
      `create-replacement Command ${b}-membership`,
      `replace Command ${b}-membership`,
      `delete-replaced Command ${b}-membership`,
    ]);
    assert.deepEqual(ranIn(run), [`${b} membership create`, `${b} membership delete`]);
    const nonce = membership(run, b, "create").nonce;
    assert.notEqual(nonce, nonces.get(b));
    assert.equal(membership(run, b, "delete").nonce, nonces.get(b));
  });

  it("destroys everything after the mark of the verification: memberships, balancers, machines", async () => {
    const run = await stack.destroy(["--parallel", "1"]);
    assert.ok(run.ok, run.output);
    const ran = ranIn(run);
    const last = (pattern: RegExp): number => ran.findLastIndex((one) => pattern.test(one));
    const first = (pattern: RegExp): number => ran.findIndex((one) => pattern.test(one));
    const memberships = /membership delete$/;
    assert.ok(first(/^verification delete$/) < first(memberships), ran.join("\n"));
    assert.ok(last(memberships) < first(/^lb\d-keepalived remove$/), ran.join("\n"));
    assert.ok(last(/-keepalived remove$/) < first(/-haproxy remove$/), ran.join("\n"));
    assert.ok(last(memberships) < first(/-kubernetes remove$/), ran.join("\n"));
    assert.ok(!ran.some((one) => one.startsWith("homelab-dns")), "the record stays");
  });
});
