import { strict as assert } from "node:assert";
import { serverFlags } from "../../plan/serverFlags.ts";
import { sampleConfig, sampleK3sConfig } from "./sampleConfig.ts";

const one = { servers: ["a"] };
const auditPolicyFile = "homelab/audit-policy.yaml";

describe("the flags of the servers", () => {
  it("are none when the config asks for none", () => {
    assert.deepEqual(serverFlags(sampleConfig(one)), {
      server: {},
      apiServer: {},
      etcd: {},
      audit: false,
    });
  });

  it("hold OpenID Connect and a rotated audit log", () => {
    const { apiServer, audit } = serverFlags(
      sampleConfig(one, {
        apiServer: {
          oidc: { issuerUrl: "https://id.example", clientId: "kubernetes", groupsClaim: "groups" },
          auditPolicyFile,
        },
      }),
    );
    assert.equal(apiServer["oidc-issuer-url"], "https://id.example");
    assert.equal(apiServer["oidc-groups-claim"], "groups");
    assert.equal(apiServer["audit-log-maxsize"], "100");
    assert.equal(apiServer["audit-policy-file"], "/etc/kubernetes/triad/audit-policy.yaml");
    assert.equal(audit, true);
  });

  it("let what is said flag by flag have the last word", () => {
    const { apiServer } = serverFlags(
      sampleConfig(one, { apiServer: { extraArgs: { "audit-log-maxage": "7" }, auditPolicyFile } }),
    );
    assert.equal(apiServer["audit-log-maxage"], "7");
  });

  it("name the audit policy where k3s's API server finds it", () => {
    const { apiServer } = serverFlags(sampleK3sConfig(one, { apiServer: { auditPolicyFile } }));
    assert.equal(apiServer["audit-policy-file"], "/var/lib/triad/audit-policy.yaml");
  });

  it("hold k3s's own keys and its snapshots, and no network that is k3s's default", () => {
    const k3s = { config: { disable: ["servicelb"], "write-kubeconfig-mode": "644" } };
    assert.deepEqual(serverFlags(sampleK3sConfig(one, { k3s })).server, {
      disable: ["servicelb"],
      "write-kubeconfig-mode": "644",
      "etcd-snapshot-schedule-cron": "0 2 * * *",
      "etcd-snapshot-name": "etcd-snapshot",
      "etcd-snapshot-compress": true,
      "etcd-snapshot-retention": 14,
      "etcd-snapshot-dir": "/var/lib/triad/snapshots",
    });
  });

  it("name a network of k3s that is another than its default, each by itself", () => {
    const pods = serverFlags(sampleK3sConfig(one, { podCidr: "10.52.0.0/16" })).server;
    assert.equal(pods["cluster-cidr"], "10.52.0.0/16");
    assert.ok(!("service-cidr" in pods));
    const services = serverFlags(sampleK3sConfig(one, { serviceCidr: "10.53.0.0/16" })).server;
    assert.equal(services["service-cidr"], "10.53.0.0/16");
    assert.ok(!("cluster-cidr" in services));
  });

  it("leave out what k3s takes for no when it is not there", () => {
    const k3s = { snapshots: { compress: false } };
    const { server } = serverFlags(sampleK3sConfig(one, { k3s }));
    assert.ok(!("etcd-snapshot-compress" in server));
  });
});
