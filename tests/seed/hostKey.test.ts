import assert from "node:assert/strict";
import ssh2 from "ssh2";
import { judgeHostKey } from "../../config/values/hostKey.ts";
import { hostKeyOf } from "../../seed/hostKey.ts";

const SEED = "0123456789abcdef0123456789abcdef";
const owner = { cluster: "homelab", machine: "k8s-master-2" };

describe("the host key of a machine that is created", () => {
  it("is the same for ever: it is pinned in a file", () => {
    assert.equal(
      hostKeyOf(SEED, owner).public,
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFlfMhnPRo7hK8VG05k6DOt/QL8fVL5AKvEUX2cYJXvA",
    );
  });

  it("is another one for another machine, another cluster and another seed", () => {
    const keys = [
      hostKeyOf(SEED, owner),
      hostKeyOf(SEED, { ...owner, machine: "k8s-master-3" }),
      hostKeyOf(SEED, { ...owner, cluster: "other" }),
      hostKeyOf(`${SEED}x`, owner),
    ].map((key) => key.public);
    assert.equal(new Set(keys).size, keys.length);
  });

  it("is what the config takes", () => {
    assert.equal(judgeHostKey(hostKeyOf(SEED, owner).public), undefined);
  });

  it("has a private half that OpenSSH's form is read by, and that signs for the public one", () => {
    for (const machine of ["a", "bb", "ccc", "k8s-master"]) {
      const { private: secret, public: open } = hostKeyOf(SEED, { ...owner, machine });
      const key = ssh2.utils.parseKey(secret);
      const known = ssh2.utils.parseKey(open);
      assert.ok(!(key instanceof Error) && !(known instanceof Error));
      assert.equal(`${key.type} ${key.getPublicSSH().toString("base64")}`, open);
      assert.equal(known.verify("said", key.sign("said")), true);
    }
  });
});
