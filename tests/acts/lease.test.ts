import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiException, type V1Lease, V1MicroTime } from "@kubernetes/client-node";
import { leaseHolder, LeaseOutOfSight, withLease } from "../../acts/lease.ts";

/** The part of the API that a Lease needs, with its optimistic concurrency. */
function leaseApi() {
  let stored: V1Lease | undefined;
  let version = 0;
  const conflict = (): ApiException<unknown> => new ApiException(409, "conflict", {}, {});
  const store = (body: V1Lease): V1Lease => {
    stored = structuredClone({
      ...body,
      metadata: { ...body.metadata, resourceVersion: String(++version) },
    });
    return stored;
  };
  const coordination = {
    async readNamespacedLease(): Promise<V1Lease> {
      await sleep(1);
      if (stored === undefined) throw new ApiException(404, "not found", {}, {});
      return structuredClone(stored);
    },
    async createNamespacedLease({ body }: { body: V1Lease }): Promise<V1Lease> {
      await sleep(1);
      if (stored !== undefined) throw conflict();
      return store(body);
    },
    async replaceNamespacedLease({ body }: { body: V1Lease }): Promise<V1Lease> {
      await sleep(1);
      if (body.metadata?.resourceVersion !== stored?.metadata?.resourceVersion) throw conflict();
      return store(body);
    },
  };
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the rest of the API is not used
  return { coordination } as unknown as Parameters<typeof withLease>[0];
}

const quiet = (): void => undefined;

describe("the Lease", () => {
  it("is free again after an act that failed, whose error goes on to the caller", async () => {
    const cluster = leaseApi();
    const broken = withLease(cluster, "join k8s-master-2", quiet, async () => {
      throw new Error("no route");
    });
    await assert.rejects(broken, /no route/);
    assert.equal(
      await withLease(cluster, "join k8s-master-2", quiet, async () => "joined"),
      "joined",
    );
  });

  it("tells who holds it, and lets the next one in when it is free", async () => {
    const cluster = leaseApi();
    // Another operator's process holds it.
    await cluster.coordination.createNamespacedLease({
      namespace: "kube-system",
      body: {
        metadata: { name: "triad", annotations: { "triad.dev/act": "move k8s-node1" } },
        spec: { holderIdentity: "ann@laptop/7" },
      },
    });
    const lines: string[] = [];
    let ran = false;
    const waiting = withLease(
      cluster,
      "join k8s-master-2",
      (line) => lines.push(line),
      async () => {
        ran = true;
      },
    );
    await sleep(100);
    assert.equal(ran, false);
    assert.deepEqual(lines, ["waiting for ann@laptop/7: move k8s-node1"]);
    const held = await cluster.coordination.readNamespacedLease({
      name: "triad",
      namespace: "kube-system",
    });
    await cluster.coordination.replaceNamespacedLease({
      name: "triad",
      namespace: "kube-system",
      body: { ...held, spec: {} },
    });
    await waiting;
    assert.equal(ran, true);
  });

  it("is had by one at a time when several reach for it at once", async () => {
    const cluster = leaseApi();
    let inside = 0;
    let most = 0;
    await Promise.all(
      ["a", "b", "c"].map((act) =>
        withLease(cluster, act, quiet, async () => {
          most = Math.max(most, ++inside);
          await sleep(20);
          inside -= 1;
        }),
      ),
    );
    assert.equal(most, 1);
  });

  it("is waited for also while its holder's act takes the API away", async () => {
    const cluster = leaseApi();
    const { coordination } = cluster;
    const read = coordination.readNamespacedLease.bind(coordination);
    await coordination.createNamespacedLease({
      namespace: "kube-system",
      body: { metadata: { name: "triad" }, spec: { holderIdentity: "ann@laptop/7" } },
    });
    const waiting = withLease(cluster, "join hp", quiet, async () => "joined");
    await sleep(50);
    const held = await read({ name: "triad", namespace: "kube-system" });
    coordination.readNamespacedLease = () => Promise.reject(new Error("connection refused"));
    await sleep(1_200);
    coordination.readNamespacedLease = read;
    await coordination.replaceNamespacedLease({
      name: "triad",
      namespace: "kube-system",
      body: { ...held, spec: {} },
    });
    assert.equal(await waiting, "joined");
  });

  it("is not waited for where the API was away from the beginning", async () => {
    const cluster = leaseApi();
    cluster.coordination.readNamespacedLease = () => Promise.reject(new Error("no route"));
    await assert.rejects(
      withLease(cluster, "join hp", quiet, async () => undefined),
      /no route/,
    );
  });

  it("is told by its holder and act, as long as it is renewed", async () => {
    const cluster = leaseApi();
    assert.equal(await leaseHolder(cluster), undefined);
    const where = { name: "triad", namespace: "kube-system" };
    const renew = async (renewedMs: number): Promise<void> => {
      const held = await cluster.coordination.readNamespacedLease(where);
      const spec = { ...held.spec, renewTime: new V1MicroTime(renewedMs) };
      await cluster.coordination.replaceNamespacedLease({ ...where, body: { ...held, spec } });
    };
    await withLease(cluster, "join hp", quiet, async () => {
      const looking = leaseHolder(cluster, 2_000);
      await sleep(20);
      await renew(Date.now() + 5_000);
      assert.match((await looking) ?? "", /: join hp$/);
      // A run that was killed releases nothing, and renews nothing.
      assert.equal(await leaseHolder(cluster, 20), undefined);
      await renew(Date.now() - 120_000);
      assert.equal(await leaseHolder(cluster), undefined);
    });
    assert.equal(await leaseHolder(cluster), undefined);
  });

  it("that somebody else has taken over is left to them", async () => {
    const cluster = leaseApi();
    const where = { name: "triad", namespace: "kube-system" };
    await withLease(cluster, "join hp", quiet, async () => {
      const held = await cluster.coordination.readNamespacedLease(where);
      const spec = { ...held.spec, holderIdentity: "ann@laptop/7" };
      await cluster.coordination.replaceNamespacedLease({ ...where, body: { ...held, spec } });
    });
    const now = await cluster.coordination.readNamespacedLease(where);
    assert.equal(now.spec?.holderIdentity, "ann@laptop/7");
  });

  it("is looked for elsewhere where the server through which it is waited for has left", async () => {
    const cluster = leaseApi();
    cluster.coordination.readNamespacedLease = () => Promise.reject(new Error("no route"));
    await assert.rejects(
      withLease(cluster, "leave hp", quiet, async () => undefined, 20),
      LeaseOutOfSight,
    );
  });
});
