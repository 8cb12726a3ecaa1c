import { strict as assert } from "node:assert";
import { ApiException, type V1Lease } from "@kubernetes/client-node";
import {
  clearDestroyMark,
  isBeingDestroyed,
  isFresh,
  markDestroy,
  type MarkedCluster,
} from "../../acts/destroyMark.ts";

/** A Lease that merges what is patched into it. */
function cluster(lease?: V1Lease): MarkedCluster & { lease: () => V1Lease | undefined } {
  let stored = lease;
  const coordination = {
    async readNamespacedLease(): Promise<V1Lease> {
      if (stored === undefined) throw new ApiException(404, "not found", {}, {});
      return stored;
    },
    async createNamespacedLease({ body }: { body: V1Lease }): Promise<V1Lease> {
      return (stored = body);
    },
    async patchNamespacedLease({ body }: { body: V1Lease }): Promise<V1Lease> {
      if (stored === undefined) throw new ApiException(404, "not found", {}, {});
      const merged = { ...stored.metadata?.annotations, ...body.metadata?.annotations };
      // null takes one away, which the type of an answer does not know.
      const annotations = Object.fromEntries(Object.entries(merged).filter(([, value]) => value));
      return (stored = { ...stored, metadata: { ...stored.metadata, annotations } });
    },
  };
  return { coordination, lease: () => stored };
}

describe("the mark of a full destroy", () => {
  const held: V1Lease = {
    metadata: { name: "triad", annotations: { "triad.dev/act": "leave hp" } },
    spec: { holderIdentity: "ann@laptop/7" },
  };

  it("is seen by the deletes of that run, whether the Lease was there before or not", async () => {
    for (const one of [cluster(), cluster(held)]) {
      assert.equal(await isBeingDestroyed(one, 0), false);
      await markDestroy(one);
      assert.equal(await isBeingDestroyed(one, 0), true);
    }
  });

  it("leaves who holds the Lease, and what for, alone", async () => {
    const one = cluster(held);
    await markDestroy(one, new Date("2026-01-02T03:04:05Z"));
    assert.equal(one.lease()?.spec?.holderIdentity, "ann@laptop/7");
    assert.deepEqual(one.lease()?.metadata?.annotations, {
      "triad.dev/act": "leave hp",
      "triad.dev/destroying": "2026-01-02T03:04:05.000Z",
    });
  });

  it("is taken away by whoever creates or updates", async () => {
    const one = cluster(held);
    await markDestroy(one);
    await clearDestroyMark(one);
    assert.deepEqual(one.lease(), held);
    const none = cluster();
    await clearDestroyMark(none);
    assert.equal(none.lease(), undefined);
  });

  it("is waited for, as deletes begin together", async () => {
    const one = cluster(held);
    const waiting = isBeingDestroyed(one, 5_000, 5);
    await markDestroy(one);
    assert.equal(await waiting, true);
    assert.equal(await isBeingDestroyed(cluster(held), 20, 5), false);
  });

  it("grows old: a destroy that was given up does not count for ever", () => {
    const now = new Date("2026-01-02T12:00:00Z");
    assert.equal(isFresh("2026-01-02T11:31:00Z", now), true);
    assert.equal(isFresh("2026-01-02T11:29:00Z", now), false);
    // Another operator's clock may be ahead.
    assert.equal(isFresh("2026-01-02T12:05:00Z", now), true);
    assert.equal(isFresh("tomorrow", now), false);
    assert.equal(isFresh(undefined, now), false);
  });
});
