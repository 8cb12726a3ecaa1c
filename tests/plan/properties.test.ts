import assert from "node:assert/strict";
import fc from "fast-check";
import type { ClusterConfig } from "../../config/clusterConfig.ts";
import { planCluster } from "../../plan/clusterPlan.ts";
import { sampleConfig } from "./sampleConfig.ts";

/** A cluster of any shape, all of whose machines are described from the start. */
const shape = fc
  .record({
    servers: fc.integer({ min: 1, max: 7 }),
    workers: fc.integer({ min: 0, max: 5 }),
    loadBalancers: fc.integer({ min: 1, max: 7 }),
    described: fc.integer({ min: 0, max: 3 }),
  })
  .chain((counts) => {
    const total = counts.servers + counts.workers + counts.loadBalancers + counts.described;
    const names = Array.from({ length: total }, (_, position) => `m${position}`);
    return fc.shuffledSubarray(names, { minLength: total, maxLength: total }).map((shuffled) => {
      const rest = [...shuffled];
      return {
        servers: rest.splice(0, counts.servers),
        workers: rest.splice(0, counts.workers),
        loadBalancers: rest.splice(0, counts.loadBalancers),
        described: rest,
      };
    });
  });

function isDeeplyFrozen(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen);
}

function holds(check: (config: ClusterConfig) => void): void {
  fc.assert(
    fc.property(shape, (names) => {
      check(sampleConfig(names));
    }),
  );
}

describe("every plan", () => {
  it("leaves peers and all other servers as they were when a described machine becomes a server", () => {
    const growing = shape.filter(
      ({ servers, described }) => servers.length < 7 && described.length > 0,
    );
    fc.assert(
      fc.property(growing, fc.nat(), (names, at) => {
        const [joiner = "", ...described] = names.described;
        const before = planCluster(sampleConfig(names));
        const servers = names.servers.toSpliced(1 + (at % names.servers.length), 0, joiner);
        const after = planCluster(sampleConfig({ ...names, servers, described }));
        assert.deepEqual(after.peers, before.peers);
        assert.deepEqual(
          after.servers.filter(({ name }) => name !== joiner),
          before.servers,
        );
        assert.deepEqual(after.workers, before.workers);
        assert.deepEqual(after.loadBalancers, before.loadBalancers);
        assert.deepEqual(after.initialServer, before.initialServer);
        assert.deepEqual(after.endpoint, before.endpoint);
      }),
    );
  });

  it("gives each load balancer a priority of its own that VRRP allows, falling along the list", () => {
    holds((config) => {
      const priorities = planCluster(config).loadBalancers.map(({ priority }) => priority);
      assert.equal(new Set(priorities).size, priorities.length);
      assert.deepEqual(
        priorities,
        priorities.toSorted((one, other) => other - one),
      );
      assert.ok(priorities.every((priority) => priority >= 1 && priority <= 254));
    });
  });

  it("moves workers exactly if there is more than one server", () => {
    holds((config) => {
      assert.equal(planCluster(config).moveWorkers, config.servers.length > 1);
    });
  });

  it("warns exactly of an even number of servers and of a load balancer alone", () => {
    holds((config) => {
      const even = config.servers.length % 2 === 0 ? 1 : 0;
      const alone = config.loadBalancers.length === 1 ? 1 : 0;
      assert.equal(planCluster(config).warnings.length, even + alone);
    });
  });

  it("keeps the order of every list, and each listed machine once", () => {
    holds((config) => {
      const plan = planCluster(config);
      const names = (machines: readonly { readonly name: string }[]): string[] =>
        machines.map(({ name }) => name);
      assert.deepEqual(names(plan.servers), config.servers);
      assert.deepEqual(names(plan.workers), config.workers);
      assert.deepEqual(names(plan.loadBalancers), config.loadBalancers);
      assert.deepEqual(names(plan.machines), [
        ...config.loadBalancers,
        ...config.servers,
        ...config.workers,
      ]);
    });
  });

  it("is the same for the same config, which it leaves alone, and frozen through and through", () => {
    holds((config) => {
      const before = structuredClone(config);
      const plan = planCluster(config);
      assert.deepEqual(planCluster(config), plan);
      assert.deepEqual(config, before);
      assert.ok(isDeeplyFrozen(plan));
    });
  });
});
