import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import * as z from "zod";
import { FakeRoot } from "./support/fakeRoot.ts";
import type { Run } from "./support/runScript.ts";
import { runScript } from "./support/runScript.ts";

/** What needs no second machine; the rest is in loadBalancerPair.test.ts. */
describe("scripts/keepalived.sh", () => {
  // A network namespace that ends with the run, with one interface that keepalived accepts.
  const wrapper = [
    "unshare",
    "--net",
    "bash",
    "-c",
    'ip link add name eth0 type veth peer name eth1 && ip address add 10.77.0.97/24 dev eth0 && ip link set eth0 up && exec "$@"',
    "wrapper",
  ];
  const variables = {
    VIRTUAL_ADDRESS: "10.77.0.99",
    PREFIX_LENGTH: "24",
    ENDPOINT_PORT: "6443",
    ROUTER_ID: "99",
    PRIORITY: "110",
    OWN_ADDRESS: "10.77.0.97",
    PEERS: "10.77.0.98 10.77.0.96",
  };
  let root: FakeRoot;

  beforeEach(() => {
    root = new FakeRoot("/run");
    root.recorded("systemd-run");
    root.recorded(
      "systemctl",
      `case $1 in
        is-active) [[ -e $TRIAD_ROOT/active ]] && echo active ;;
        is-enabled) [[ -e $TRIAD_ROOT/active ]] ;;
        enable) touch "$TRIAD_ROOT/active" ;;
        start | restart) touch "$TRIAD_ROOT/active" ;;
        stop) [[ $2 != keepalived ]] || rm "$TRIAD_ROOT/active" ;;
        disable) [[ $2 != --now ]] || rm "$TRIAD_ROOT/active" ;;
        reload) [[ ! -e $TRIAD_ROOT/no-reload ]] ;;
      esac`,
    );
  });
  afterEach(() => {
    root.remove();
  });

  async function script(verb: string, changes: Record<string, string> = {}): Promise<Run> {
    return await runScript(
      "keepalived.sh",
      verb,
      { ...variables, ...changes },
      { ...root, wrapper },
    );
  }

  async function succeed(verb: string, changes: Record<string, string> = {}): Promise<unknown> {
    const run = await script(verb, changes);
    assert.equal(run.exitCode, 0, run.stderr);
    return run.result;
  }

  const did = (verb: string): number =>
    root.calls("systemctl").filter((call) => call.startsWith(verb)).length;

  it("writes the whole configuration, for the real keepalived to accept", async () => {
    assert.deepEqual(await succeed("ensure"), { changed: true, interface: "eth0" });
    const config = root
      .read("etc/keepalived/keepalived.conf")
      .replaceAll(root.root, "")
      .replace(hostname(), "HOST");
    const golden = new URL("./golden/keepalived.conf", import.meta.url);
    if (process.env["UPDATE_GOLDEN"] !== undefined) writeFileSync(golden, config);
    assert.equal(config, readFileSync(golden, "utf8"));
    assert.deepEqual(readdirSync(root.at("etc/keepalived")), ["keepalived.conf"]);
  });

  it("changes nothing when run again, and reloads once for a change", async () => {
    await succeed("ensure");
    assert.deepEqual(await succeed("ensure"), { changed: false, interface: "eth0" });
    assert.deepEqual(await succeed("ensure", { PRIORITY: "100" }), {
      changed: true,
      interface: "eth0",
    });
    assert.deepEqual([did("reload"), did("restart"), did("enable --now")], [1, 0, 1]);
  });

  it("takes up a reload that a run left undone", async () => {
    await succeed("ensure");
    root.write("no-reload", "");
    assert.equal((await script("ensure", { PRIORITY: "100" })).exitCode, 1);
    rmSync(root.at("no-reload"));
    assert.deepEqual(await succeed("ensure", { PRIORITY: "100" }), {
      changed: true,
      interface: "eth0",
    });
    assert.deepEqual(await succeed("ensure", { PRIORITY: "100" }), {
      changed: false,
      interface: "eth0",
    });
  });

  it("refuses what keepalived refuses, and leaves the running one alone", async () => {
    await succeed("ensure");
    const before = root.read("etc/keepalived/keepalived.conf");
    for (const [changes, complaint] of [
      [{ PRIORITY: "many" }, /keepalived refuses the configuration: .*invalid number 'many'/],
      [{ ROUTER_ID: "300" }, /keepalived refuses the configuration/],
      [{ OWN_ADDRESS: "10.77.0.5" }, /no interface of this machine has the address 10\.77\.0\.5/],
      [{ INTERFACE: "eth7" }, /this machine has no interface eth7/],
    ] as const) {
      const { exitCode, stderr } = await script("ensure", changes);
      assert.equal(exitCode, 1);
      assert.match(stderr, complaint);
    }
    assert.equal(root.read("etc/keepalived/keepalived.conf"), before);
    assert.equal(did("reload"), 0);
  });

  const peers = (): string[] => {
    const [, block = ""] =
      /unicast_peer \{([^}]*)\}/.exec(root.read("etc/keepalived/keepalived.conf")) ?? [];
    return block.split("\n").flatMap((line) => line.trim() || []);
  };

  it("speaks to itself when it is alone, as it would speak to everyone without a peer", async () => {
    await succeed("ensure", { PEERS: "" });
    assert.deepEqual(peers(), ["10.77.0.99 # itself"]);
    await succeed("ensure", { PEERS: "10.77.0.98" });
    assert.deepEqual(peers(), ["10.77.0.98"]);
  });

  it("speaks on to one that left the list, until the list changes again", async () => {
    const ensured = async (list: string): Promise<string[]> => {
      await succeed("ensure", { PEERS: list });
      const once = peers();
      const { changed } = z
        .object({ changed: z.boolean() })
        .parse(await succeed("ensure", { PEERS: list }));
      assert.deepEqual([changed, peers()], [false, once]);
      return once;
    };
    await ensured("10.77.0.98 10.77.0.96");
    assert.deepEqual(await ensured("10.77.0.98"), ["10.77.0.98", "10.77.0.96 # left the list"]);
    assert.deepEqual(await ensured("10.77.0.98 10.77.0.96"), ["10.77.0.98", "10.77.0.96"]);
    assert.deepEqual(await ensured(""), [
      "10.77.0.98 # left the list",
      "10.77.0.96 # left the list",
    ]);
    assert.deepEqual(await ensured("10.77.0.95"), ["10.77.0.95"]);
  });

  it("goes on when nobody else takes the endpoint over", async () => {
    await succeed("ensure");
    const before = root.read("etc/keepalived/keepalived.conf");
    assert.deepEqual(await succeed("remove"), { changed: false, kept: true });
    assert.equal(root.read("etc/keepalived/keepalived.conf"), before);
    assert.equal((await script("check")).exitCode, 0);
    assert.deepEqual([did("start"), did("disable")], [1, 0]);
  });

  it("is started again by the system, should the run end while nobody else was seen", async () => {
    await succeed("ensure");
    await succeed("remove");
    assert.deepEqual(root.calls("systemd-run"), [
      "--quiet --collect --unit=triad-keepalived-again --on-active=20 systemctl start keepalived",
    ]);
    const calls = root.calls("systemctl");
    assert.ok(
      calls.lastIndexOf("stop triad-keepalived-again.timer") > calls.indexOf("start keepalived"),
    );
  });

  it("stays with a server that it is carried by, and goes once that has left", async () => {
    await succeed("ensure");
    // Stands for another load balancer that answers at the address.
    root.command("timeout", "exit 0");
    const own = { OWN: "true", ON_DESTROY: "leave" };
    const kept = { changed: false, kept: true };
    for (const file of [
      ...["etc/kubernetes/manifests/kube-apiserver.yaml", "etc/systemd/system/k3s.service"],
      "usr/lib/systemd/system/k3s.service",
    ]) {
      root.write(file, "");
      assert.deepEqual(await succeed("remove", own), kept, file);
      assert.deepEqual(await succeed("remove", { ...own, ON_DESTROY: "forget" }), kept);
      rmSync(root.at(file));
    }
    root.write("etc/systemd/system/k3s.service", "");
    root.write("var/lib/triad/leaving", "");
    assert.equal(did("stop keepalived"), 0);
    assert.deepEqual(await succeed("remove", own), { changed: true });
  });

  it("does not stay for good on a server that has left: it goes on, and says so", async () => {
    await succeed("ensure");
    const { exitCode, stderr } = await script("remove", { OWN: "true" });
    assert.equal(exitCode, 1);
    assert.match(stderr, /no other server's load balancer takes the endpoint over/);
    assert.deepEqual([did("start"), did("disable")], [1, 0]);
  });

  it("goes from a server, the last one too, where all is to be wiped", async () => {
    await succeed("ensure");
    root.write("etc/systemd/system/k3s.service", "");
    assert.deepEqual(await succeed("remove", { OWN: "true", ON_DESTROY: "wipe" }), {
      changed: true,
    });
    assert.ok(!existsSync(root.at("etc/keepalived/keepalived.conf")));
    assert.equal((await script("remove", { ON_DESTROY: "burn" })).exitCode, 1);
  });

  it("leaves a keepalived that ran before Triad running, with its own configuration", async () => {
    root.write("etc/keepalived/keepalived.conf", "# someone's\n");
    root.write("active", "");
    await succeed("ensure");
    root.command("timeout", "exit 0");
    await succeed("remove");
    assert.equal(root.read("etc/keepalived/keepalived.conf"), "# someone's\n");
    assert.equal(did("restart keepalived"), 1);
    assert.ok(!existsSync(root.at("var/lib/triad")));
  });

  it("keeps what was there before aside, once, and brings it back when it goes", async () => {
    root.write("etc/keepalived/keepalived.conf", "# someone's\n");
    await succeed("ensure");
    await succeed("ensure", { PRIORITY: "100" });
    assert.equal(root.read("etc/keepalived/keepalived.conf.before-triad"), "# someone's\n");
    // Stands for another load balancer that answers at the address.
    root.command("timeout", "exit 0");
    assert.deepEqual(await succeed("remove"), { changed: true });
    assert.equal(root.read("etc/keepalived/keepalived.conf"), "# someone's\n");
    assert.ok(!existsSync(root.at("usr/local/lib/triad/haproxy-answers")));
    assert.deepEqual(await succeed("remove"), { changed: false });
  });
}).timeout(20_000);
