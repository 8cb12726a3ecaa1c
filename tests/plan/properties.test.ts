import assert from "node:assert/strict";
import fc from "fast-check";
import type { ClusterConfig } from "../../config/clusterConfig.ts";
import { planCluster } from "../../plan/clusterPlan.ts";
import { sampleConfig, sampleK3sConfig } from "./sampleConfig.ts";

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

  it("of servers that balance themselves names each machine once, with priorities as before it grew", () => {
    const growing = shape.filter(({ servers }) => servers.length > 1);
    fc.assert(
      fc.property(growing, ({ servers, workers, described }) => {
        const names = { servers, workers, described };
        const plan = planCluster(sampleK3sConfig(names));
        assert.deepEqual(
          plan.machines.map(({ name }) => name),
          [...servers, ...workers],
        );
        const fewer = { servers: servers.slice(0, -1), workers, described: servers.slice(-1) };
        const before = planCluster(
          sampleK3sConfig({ ...fewer, described: [...described, ...fewer.described] }),
        );
        assert.deepEqual(plan.loadBalancers.slice(0, -1), before.loadBalancers);
        assert.deepEqual(plan.peers, before.peers);
        assert.deepEqual(plan.endpoint, before.endpoint);
        assert.deepEqual(plan.flags, before.flags);
      }),
    );
  });

  it("with a pause is the plan of the shorter list, but for its warning", () => {
    const pausing = shape.filter(({ servers }) => servers.length > 1);
    fc.assert(
      fc.property(pausing, fc.nat(), ({ servers, workers, described }, at) => {
        const count = 1 + (at % (servers.length - 1));
        const pauseAfter = servers[count - 1] ?? "";
        const { warnings, waiting, ...paused } = planCluster(
          sampleK3sConfig({ servers, workers, described }, { pauseAfter }),
        );
        const {
          warnings: _parity,
          waiting: _nobody,
          ...shorter
        } = planCluster(
          sampleK3sConfig({
            servers: servers.slice(0, count),
            workers,
            described: [...described, ...servers.slice(count)],
          }),
        );
        assert.deepEqual(paused, shorter);
        assert.equal(warnings.length, 1);
        assert.deepEqual(waiting, servers.slice(count));
      }),
    );
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
