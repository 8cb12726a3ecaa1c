import assert from "node:assert/strict";
import { parseConfig } from "../../config/parse.ts";
import { fixtures, type Fixture } from "./fixture.ts";

function fixture(name: string): Fixture {
  const found = fixtures("valid").find((each) => each.name === name);
  assert.ok(found, `there is no fixture ${name}`);
  return found;
}

describe("an endpoint in the config", () => {
  it("says of an endpoint that somebody else balances that it is so, and of no other", () => {
    const { endpoint, loadBalancers } = parseConfig(fixture("externalEndpoint").raw);
    assert.deepEqual(endpoint, {
      name: "k8s-apiserver.homelab.example",
      address: "10.0.20.99",
      prefixLength: 24,
      port: 6443,
      virtualRouterId: 99,
      external: true,
    });
    assert.deepEqual(loadBalancers, []);
    const others = ["notExternal", "minimal", "kubeadmOwnLoadBalancers"];
    for (const name of others) {
      assert.equal("external" in parseConfig(fixture(name).raw).endpoint, false, name);
    }
    assert.equal(parseConfig(fixture("notExternal").raw).endpoint.port, 8443);
  });

  it("may be the firewall's own address, DNS server and all, with a delay of one's own", () => {
    const { apiServer, endpoint, dns } = parseConfig(fixture("externalOnFirewall").raw);
    assert.equal(endpoint.address, dns?.server);
    assert.equal(endpoint.port, 8404);
    assert.deepEqual(apiServer.extraArgs, { "shutdown-delay-duration": "20s" });
  });
});
