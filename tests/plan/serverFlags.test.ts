import { strict as assert } from "node:assert";
import { serverFlags } from "../../plan/serverFlags.ts";

describe("the flags of the servers", () => {
  it("are none when the config asks for none", () => {
    assert.deepEqual(serverFlags({ extraArgs: {} }, { extraArgs: {} }), {
      apiServer: {},
      etcd: {},
      audit: false,
    });
  });

  it("hold OpenID Connect and a rotated audit log", () => {
    const { apiServer, audit } = serverFlags(
      {
        extraArgs: {},
        oidc: { issuerUrl: "https://id.example", clientId: "kubernetes", groupsClaim: "groups" },
        auditPolicyFile: "policy.yaml",
      },
      { extraArgs: {} },
    );
    assert.equal(apiServer["oidc-issuer-url"], "https://id.example");
    assert.equal(apiServer["oidc-groups-claim"], "groups");
    assert.equal(apiServer["audit-log-maxsize"], "100");
    assert.equal(audit, true);
  });

  it("let what is said flag by flag have the last word", () => {
    const { apiServer } = serverFlags(
      { extraArgs: { "audit-log-maxage": "7" }, auditPolicyFile: "policy.yaml" },
      { extraArgs: {} },
    );
    assert.equal(apiServer["audit-log-maxage"], "7");
  });
});
