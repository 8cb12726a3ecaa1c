import assert from "node:assert/strict";
import { checkpointNote } from "../../acts/checkpoint/naming.ts";
import { chooseCheckpoint } from "../../acts/rollback/choose.ts";
import { emptied } from "../../acts/rollback/emptied.ts";
import type { RollbackRequest } from "../../acts/rollback/request.ts";
import { rollBack } from "../../acts/rollback/rollBack.ts";
import { turnBack } from "../../acts/rollback/turnBack.ts";
import { stopGuest } from "../../proxmox/guest.ts";
import { rollbackOf } from "../../tools/rollback/rollbackOf.ts";
import { samplePlan, withVms } from "../support/samplePlan.ts";
import { accessOf, type OnProxmox, startOnProxmox } from "./support/onProxmox.ts";
import { type Answers, startVirtualServer, type VirtualServer } from "./support/virtualServer.ts";

const name = "k8s-master-2";
const ours = checkpointNote({ machine: name, cluster: "homelab", servers: 3 });
const first = "triad-20260101T200000Z";
const second = "triad-20260202T200000Z";
const held = { guarded: true, here: false, active: false, checkpoint: first, macs: [] };

describe("a server's disk that goes back", function () {
  this.timeout(30_000);
  let proxmox: OnProxmox;
  let server: VirtualServer | undefined;
  let happened: string[];
  beforeEach(async () => {
    proxmox = await startOnProxmox();
    happened = [];
    await proxmox.byHand(first, ours, 120);
  });
  afterEach(async () => {
    server?.close();
    server = undefined;
    await proxmox.close();
  });

  function request(checkpoint?: string, servers = ["k8s-master", name]): RollbackRequest {
    const vms = withVms({ [name]: { vmId: 205 } }, { endpoint: proxmox.double.url });
    return rollbackOf(samplePlan(servers, vms), name, checkpoint);
  }

  async function machine(
    state: object,
    also: Answers = () => "unexpected",
  ): Promise<VirtualServer> {
    server = await startVirtualServer(name, (verb, script) => {
      const what = /^# (Keeps a server|Runs one disruptive)/m.exec(script)?.[1] ?? "";
      const payload = script.includes("Stops being a server") ? " leave" : "";
      happened.push(`${verb}${payload}${proxmox.isRunning() ? "" : " while it is off"}`);
      if (what === "Keeps a server" && verb === "check") return state;
      if (what === "Keeps a server" && verb === "remove") return { changed: true, was: true };
      if (what === "Runs one disruptive") return { changed: true, worker: false };
      return also(verb, script);
    });
    return server;
  }

  it("starts, and is logged in to; its server's data are wiped before its guard goes", async () => {
    const { machine: target, identity } = await machine(held);
    const { membership } = request();
    const own = { ...membership, machine: target, identity };
    const config = () => proxmox.double.datacenter.vms.get(205)?.config["description"];
    await proxmox.double.byHand("PUT", "/nodes/pve1/qemu/205/config", { description: "later" });
    assert.equal(config(), "later");
    const checkpoint = await chooseCheckpoint(proxmox.guest, request());
    await stopGuest(proxmox.guest, () => undefined);
    assert.equal(proxmox.isRunning(), false);
    const connection = await turnBack(own, proxmox.guest, checkpoint, "", () => undefined);
    try {
      assert.ok(proxmox.isRunning());
      assert.equal(config(), undefined);
      await emptied(own, proxmox.guest, connection, () => undefined);
    } finally {
      connection.close();
    }
    assert.deepEqual(happened, ["check", "ensure leave", "remove"]);
  });

  for (const [what, state] of [
    ["has no guard", { ...held, guarded: false }],
    ["runs its server all the same", { ...held, active: true }],
    ["has not booted since the checkpoint", { ...held, here: true }],
  ] as const) {
    it(`is stopped at once where it ${what}`, async () => {
      const { machine: target, identity } = await machine(state);
      const { membership } = request();
      const own = { ...membership, machine: target, identity };
      const checkpoint = await chooseCheckpoint(proxmox.guest, request());
      await stopGuest(proxmox.guest, () => undefined);
      const connection = await turnBack(own, proxmox.guest, checkpoint, "", () => undefined);
      try {
        await assert.rejects(
          emptied(own, proxmox.guest, connection, () => undefined),
          /k8s-master-2 came up without its guard, and was stopped at once/,
        );
      } finally {
        connection.close();
      }
      assert.equal(proxmox.isRunning(), false);
      assert.deepEqual(happened, ["check"]);
    });
  }

  it("that Proxmox does not turn back is told with what has become of the server", async () => {
    const { membership } = request();
    const checkpoint = await chooseCheckpoint(proxmox.guest, request());
    await stopGuest(proxmox.guest, () => undefined);
    const message = "can't rollback, not most recent snapshot";
    proxmox.double.fault({ kind: "task-failure", task: "qmrollback", message });
    await assert.rejects(
      turnBack(membership, proxmox.guest, checkpoint, "it has left", () => undefined),
      /not most recent snapshot[^]*disk of k8s-master-2 has not gone back; it has left[^]*another CHECKPOINT/,
    );
    assert.equal(proxmox.isRunning(), false);
  });

  /** The same where nobody answers SSH: every machine is at a closed port. */
  function silent(servers: string[]): RollbackRequest {
    const told = request(first, servers);
    const nowhere = { address: "127.0.0.1", ssh: { user: "ops", port: 1 } };
    const peers = told.membership.peers.map((peer) => ({ ...peer, ...nowhere }));
    const own = { ...told.membership.machine, ...nowhere };
    const identity = { agent: false };
    return { ...told, membership: { ...told.membership, peers, machine: own, identity } };
  }

  it("is refused while nobody knows whether others live, and nothing is touched", async () => {
    const consent = async (): Promise<void> => void happened.push("asked");
    const run = rollBack(
      silent(["k8s-master", name]),
      accessOf(proxmox.double),
      consent,
      () => undefined,
    );
    await assert.rejects(run, /k8s-master is in the list of servers and does not answer/);
    assert.deepEqual(happened, []);
    assert.ok(proxmox.isRunning());
  });

  it("is refused to a server that had peers then and has none now", async () => {
    const consent = async (): Promise<void> => assert.fail("nobody is asked");
    const run = rollBack(silent([name]), accessOf(proxmox.double), consent, () => undefined);
    await assert.rejects(run, /the cluster had 3 servers when triad-20260101T200000Z was taken/);
    assert.ok(proxmox.isRunning());
  });

  it("that is the cluster's alone starts with its old data once its guard is taken away", async () => {
    const alone = checkpointNote({ machine: name, cluster: "homelab", servers: 1 });
    await proxmox.byHand(second, alone);
    await proxmox.double.byHand("PUT", "/nodes/pve1/qemu/205/config", { description: "later" });
    const { machine: target, identity } = await machine(held, (verb) =>
      verb === "start" ? { at: 1 } : { server: false, ready: false },
    );
    const told = silent([name]);
    const others = told.membership.peers.filter((peer) => peer.name !== name);
    const access = { peers: [...others, target], identity };
    const run = rollBack(
      {
        ...told,
        checkpoint: second,
        membership: { ...told.membership, ...access, machine: target },
        recovery: { ...told.recovery, ...access, survivor: target },
      },
      accessOf(proxmox.double),
      async () => void happened.push("asked"),
      () => undefined,
    );
    // No API is there to be waited for.
    await assert.rejects(run, /no living server was found/);
    const isChange = (one: string): boolean => !one.startsWith("check");
    assert.deepEqual(happened.filter(isChange), ["asked", "start"]);
    assert.equal(proxmox.double.datacenter.vms.get(205)?.config["description"], undefined);
  });

  it("stays as it is where the person does not agree", async () => {
    const alone = checkpointNote({ machine: name, cluster: "homelab", servers: 1 });
    await proxmox.byHand(second, alone);
    const told = { ...silent([name]), checkpoint: second };
    const seen: string[] = [];
    const run = rollBack(
      told,
      accessOf(proxmox.double),
      async ({ guest, checkpoint, standing }) => {
        seen.push(guest, checkpoint.name, standing.kind);
        throw new Error("no");
      },
      () => undefined,
    );
    await assert.rejects(run, /^Error: no$/);
    assert.deepEqual(seen, ["k8s-master-2 (VM 205 on pve1)", second, "alone"]);
    assert.ok(proxmox.isRunning());
  });
});
