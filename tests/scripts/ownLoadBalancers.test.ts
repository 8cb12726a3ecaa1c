import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { Server } from "./support/ownLoadBalancers.ts";
import { OwnLoadBalancers } from "./support/ownLoadBalancers.ts";

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The tests go on from one another, as the life of a home's cluster does. */
describe("scripts/haproxy.sh and scripts/keepalived.sh on the servers themselves", function () {
  this.timeout(60_000);
  this.slow(10_000);

  let home: OwnLoadBalancers;
  before(async () => {
    home = new OwnLoadBalancers();
    await home.start();
  });
  after(async () => {
    await home.stop();
  });

  const answering = (from: Server | "hub"): string => {
    const names = Array.from({ length: 9 }, () =>
      home.network.curl(from, home.virtualAddress, home.port),
    );
    return [...new Set(names)].sort().join("");
  };

  it("one server alone holds the address and tells nobody; its API stays reachable beside", async () => {
    await home.ensure("a", ["a"]);
    await home.until("a holder", () => home.moves.join(" ") === "+a");
    assert.deepEqual([answering("hub"), answering("a")], ["a", "a"]);
    assert.equal(home.network.curl("hub", home.network.addresses.a), "a");
    const listening = home.network.output("a", "ss", "-Hltn");
    assert.match(listening, /0\.0\.0\.0:6443/);
    assert.match(listening, /10\.77\.0\.99:8443/);
    assert.match(listening, /10\.77\.0\.11:8404/);
    assert.doesNotMatch(home.network.output("a", "ip", "maddress"), /224\.0\.0\.18/);
  });

  it("told the same again, it goes on as it is", async () => {
    await home.ensure("a", ["a"]);
    assert.deepEqual(home.moves, ["+a"]);
  });

  it("two more come, before the holder knows of them: the address stays where it is, without a gap", async () => {
    const list: Server[] = ["a", "b", "c"];
    const seen = await home.asking("hub", "a", async () => {
      const coming = Promise.all([home.ensure("b", list), home.ensure("c", list)]);
      // What takes longest there is that they wait for the holder.
      await pause(6000);
      await home.ensure("a", list);
      await coming;
      await pause(2000);
    });
    assert.deepEqual(home.moves, ["+a"]);
    assert.ok(seen.asked > 60, `${seen.asked} questions`);
    assert.deepEqual([seen.failed, seen.keptFailed], [0, 0]);
  });

  it("each of them sends connections to all, once they are enabled everywhere", async () => {
    for (const name of ["b", "c"] as const) {
      for (const one of home.network.names) {
        await home.run("haproxy.sh", "enable", one, { SERVER: name });
      }
    }
    assert.deepEqual([answering("hub"), answering("a"), answering("c")], ["abc", "abc", "abc"]);
  });

  it("a second ensure changes nothing", async () => {
    for (const name of home.network.names) {
      const variables = home.variables(name, ["a", "b", "c"]);
      assert.deepEqual(await home.run("haproxy.sh", "ensure", name, variables), { changed: false });
      assert.deepEqual(await home.run("keepalived.sh", "ensure", name, variables), {
        changed: false,
        interface: "eth0",
      });
    }
  });

  it("one leaves, the others know first: the address stays, and nothing but the API is left on it", async () => {
    const seen = await home.asking("hub", "a", async () => {
      await Promise.all([home.ensure("a", ["a", "b"]), home.ensure("b", ["a", "b"])]);
      await pause(3000);
      assert.deepEqual(await home.remove("c", ["a", "b", "c"]), [
        { changed: true },
        { changed: true },
      ]);
      await pause(1000);
    });
    assert.deepEqual(home.moves, ["+a"]);
    assert.deepEqual([seen.failed, seen.keptFailed], [0, 0]);
    assert.equal(home.network.curl("hub", home.network.addresses.c), "c");
    assert.doesNotMatch(home.network.output("c", "ss", "-Hltn"), /8443|8404/);
    for (const path of ["etc/haproxy", "etc/keepalived", "var/lib/triad"]) {
      assert.ok(!existsSync(home.roots.c.at(path)), path);
    }
    assert.equal(answering("c"), "ab");
  });

  it("the holder leaves: the last takes over at once, and clients on the holder itself come again", async () => {
    const seen = await home.asking("a", "b", async () => {
      await home.ensure("b", ["b"]);
      await pause(2000);
      assert.deepEqual(home.moves, ["+a"]);
      await home.remove("a", ["a", "b"]);
      await pause(3000);
    });
    assert.deepEqual(home.moves, ["+a", "-a", "+b"]);
    assert.ok(seen.failed <= 8, `${seen.failed} of ${seen.asked} failed`);
    assert.ok(seen.keptFailed <= 1 && seen.keptSlowestMs < 3000, JSON.stringify(seen));
    assert.deepEqual([answering("hub"), answering("a")], ["b", "b"]);
  });

  it("the last goes on", async () => {
    const kept = { changed: false, kept: true };
    assert.deepEqual(await home.remove("b", ["b"]), [kept, kept]);
    await home.until("the holder", () => home.network.has("b", home.virtualAddress));
  });
});
