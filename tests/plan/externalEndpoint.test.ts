import { strict as assert } from "node:assert";
import { balancerText } from "../../plan/balancerText.ts";
import { samplePlan, withGone } from "../support/samplePlan.ts";

const three = ["k8s-master", "k8s-master-2", "k8s-master-3"];
const endpoint = { name: "k8s-apiserver.homelab.test", address: "10.0.20.99", external: true };
const external = { endpoint, loadBalancers: [] };

describe("the plan of an endpoint that somebody else balances", () => {
  it("has no load balancers, neither machines of their own nor the servers", () => {
    const plan = samplePlan(three, external);
    assert.deepEqual(plan.loadBalancers, []);
    assert.equal(plan.ownLoadBalancers, false);
    assert.equal(plan.endpoint.port, 6443);
    assert.deepEqual(
      plan.machines.map(({ name }) => name),
      [...three, "k8s-node1", "k8s-node2"],
    );
  });

  it("lets API servers serve on for a while when they end, and no server restarts for that alone", () => {
    const { flags } = samplePlan(three, external);
    assert.deepEqual(flags.apiServer, { "shutdown-delay-duration": "15s" });
    assert.deepEqual(flags.later, ["shutdown-delay-duration"]);
  });

  it("takes the config's word for how long, and then it is a flag like any other", () => {
    const apiServer = { extraArgs: { "shutdown-delay-duration": "20s" } };
    const { flags } = samplePlan(three, { ...external, apiServer });
    assert.deepEqual(flags.apiServer, { "shutdown-delay-duration": "20s" });
    assert.equal("later" in flags, false);
  });

  it("asks nothing of the kind where Triad's own load balancers are told", () => {
    const { flags, endpoint: own } = samplePlan(three);
    assert.deepEqual(flags.apiServer, {});
    assert.equal("later" in flags, false);
    assert.equal("external" in own, false);
  });
});

describe("the text for a balancer that somebody else runs", () => {
  it("is a frontend and a backend that asks every server of the list for /readyz", () => {
    assert.equal(
      balancerText(samplePlan(three, external)).haproxy,
      `frontend homelab-api
    mode tcp
    bind 10.0.20.99:6443
    timeout client 65m
    default_backend homelab-api-servers

backend homelab-api-servers
    mode tcp
    balance roundrobin
    timeout connect 400ms
    timeout server 65m
    timeout check 0
    retries 3
    option redispatch 1
    option httpchk GET /readyz
    http-check expect status 200
    default-server check inter 2000 check-ssl verify none fall 3 rise 2 on-marked-down shutdown-sessions
    server k8s-master 10.0.20.100:6443
    server k8s-master-2 10.0.20.110:6443
    server k8s-master-3 10.0.20.111:6443
`,
    );
  });

  it("says the same for pfSense's package, with the check's TLS where no version reads it otherwise", () => {
    const { pfSense } = balancerText(samplePlan(three, external));
    for (const line of [
      /IP Alias 10\.0\.20\.99\/24/,
      /TCP port 6443$/m,
      /Server list +active {2}k8s-master {2}Address\+Port: {2}10\.0\.20\.100 {2}6443$/m,
      /^ +active {2}k8s-master-3 {2}Address\+Port: {2}10\.0\.20\.111 {2}6443$/m,
      /Connection timeout +400$/m,
      /Server timeout +3900000$/m,
      /Health check method +HTTP$/m,
      /Check frequency +2000$/m,
      /Url used by http check +\/readyz$/m,
      /Backend pass thru +option redispatch 1$/m,
      /Per server pass thru +check-ssl verify none fall 3 rise 2 on-marked-down shutdown-sessions$/m,
      /Listen address +10\.0\.20\.99, port 6443, SSL Offloading off$/m,
      /Type +tcp$/m,
      /Client timeout +3900000$/m,
    ]) {
      assert.match(pfSense, line);
    }
  });

  it("leaves out a server that is gone", () => {
    const plan = samplePlan(three, { ...withGone("k8s-master-2"), ...external });
    const { haproxy, pfSense } = balancerText(plan);
    assert.doesNotMatch(haproxy + pfSense, /k8s-master-2/);
    assert.match(haproxy, /server k8s-master-3 /);
  });

  it("has the port and the name that the config says", () => {
    const said = { name: "cluster2", endpoint: { ...endpoint, port: 7443 } };
    const { haproxy } = balancerText(samplePlan(three, { ...external, ...said }));
    assert.match(haproxy, /^frontend cluster2-api\n {4}mode tcp\n {4}bind 10\.0\.20\.99:7443\n/);
  });
});
