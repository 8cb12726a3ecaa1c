import assert from "node:assert/strict";
import fc from "fast-check";
import type { DistributionName } from "../../config/clusterConfig.ts";
import { judgeHostKey } from "../../config/values/hostKey.ts";
import {
  judgeDnsLabel,
  judgeDnsName,
  judgeFlagName,
  judgeWorkload,
} from "../../config/values/names.ts";
import { contains, judgeCidr, judgeIpv4, networkOf, overlap } from "../../config/values/network.ts";
import { judgeSchedule } from "../../config/values/schedule.ts";
import { judgeServerDirectory } from "../../config/values/serverDirectory.ts";
import { judgeVersion, judgeVersionOf } from "../../config/values/version.ts";

const ipv4 = fc.ipV4();
const prefixLength = fc.integer({ min: 1, max: 32 });

describe("values", () => {
  it("any network of any address is a CIDR without host bits that contains the address", () => {
    fc.assert(
      fc.property(ipv4, prefixLength, (address, length) => {
        const network = networkOf(address, length);
        assert.equal(judgeCidr(network), undefined);
        assert.ok(contains(network, address));
      }),
    );
  });

  it("the network proposed in place of one with host bits is taken", () => {
    fc.assert(
      fc.property(ipv4, prefixLength, (address, length) => {
        const complaint = judgeCidr(`${address}/${length}`);
        const proposal = /did you mean (.*)\?$/.exec(complaint?.cure ?? "")?.[1];
        if (proposal !== undefined) assert.equal(judgeCidr(proposal), undefined);
      }),
    );
  });

  it("two networks overlap exactly if one contains the other's first address", () => {
    fc.assert(
      fc.property(ipv4, prefixLength, ipv4, prefixLength, (one, oneLength, other, otherLength) => {
        const [wide, narrow] =
          oneLength <= otherLength
            ? [networkOf(one, oneLength), other]
            : [networkOf(other, otherLength), one];
        const isInside = contains(wide, narrow);
        const networks = [networkOf(one, oneLength), networkOf(other, otherLength)] as const;
        assert.equal(overlap(...networks), isInside);
      }),
    );
  });

  it("no text makes a judge throw", function () {
    // A second on an idle computer; other tests and the lab may run beside.
    this.timeout(60_000);
    const judges = [
      judgeCidr,
      judgeDnsLabel,
      judgeDnsName,
      judgeFlagName,
      judgeHostKey,
      judgeIpv4,
      judgeSchedule,
      judgeServerDirectory,
      judgeVersion,
      judgeWorkload,
    ];
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV6(), fc.webUrl(), ipv4), (text) => {
        for (const judge of judges) judge(text);
      }),
      { numRuns: 50 },
    );
  });

  it("addresses are written in one way only", () => {
    for (const text of ["10.0.20", "010.0.20.1", "0x0a.0.0.1", "167772161", "10.0.20.1 ", ""]) {
      assert.notEqual(judgeIpv4(text), undefined, text);
    }
    assert.equal(judgeIpv4("192.0.2.1"), undefined);
  });

  it("every kind of host key that sshd makes is taken", () => {
    const keys: [type: string, length: number][] = [
      ["ssh-ed25519", 36],
      ["ecdsa-sha2-nistp256", 85],
      ["ssh-rsa", 400],
    ];
    for (const [type, length] of keys) {
      const size = Buffer.alloc(4);
      size.writeUInt32BE(type.length);
      const blob = Buffer.concat([size, Buffer.from(type), Buffer.alloc(length)]);
      assert.equal(judgeHostKey(`${type} ${blob.toString("base64")}`), undefined, type);
    }
  });

  const minors: [distribution: DistributionName, suffix: string, taken: number[]][] = [
    ["kubeadm", "", [31, 32, 33, 34, 35]],
    ["k3s", "+k3s1", [30, 31, 32, 33, 34, 35]],
  ];
  for (const [distribution, suffix, expected] of minors) {
    it(`each supported minor version of ${distribution} is taken, those beside it are not`, () => {
      const all = [29, 30, 31, 32, 33, 34, 35, 36];
      const taken = all.filter(
        (minor) => judgeVersionOf(distribution, `v1.${minor}.0${suffix}`) === undefined,
      );
      assert.deepEqual(taken, expected);
    });
  }

  it("a version is refused unless it is a release in full", () => {
    const refused = ["1.34.2", "v1.34", "v2.0.0", "v1.34.2-rc.1", "v1.34.2+rke2r1", "v1.34.2 ", ""];
    for (const text of refused) assert.notEqual(judgeVersion(text), undefined, text);
    for (const text of ["v1.34.2", "v1.33.5+k3s1", "v1.33.5+k3s12"]) {
      assert.equal(judgeVersion(text), undefined, text);
    }
  });
});
