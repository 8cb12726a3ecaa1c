import assert from "node:assert/strict";
import fc from "fast-check";
import { cureOfConversion, cureOfRemoval } from "../../config/values/k3sDefects.ts";

const anyVersion = fc
  .record({ minor: fc.integer({ min: 30, max: 35 }), patch: fc.integer({ min: 0, max: 20 }) })
  .map(({ minor, patch }) => `v1.${minor}.${patch}+k3s1`);

describe("k3s's defects", () => {
  const conversions: [version: string, cure: string | undefined][] = [
    ["v1.30.12+k3s1", undefined],
    ["v1.30.13+k3s1", "v1.30.14+k3s1"],
    ["v1.31.9+k3s1", "v1.31.10+k3s1"],
    ["v1.32.5+k3s1", "v1.32.6+k3s1"],
    ["v1.33.1+k3s1", "v1.33.2+k3s1"],
    ["v1.33.1+k3s2", "v1.33.2+k3s1"],
    ["v1.33.2+k3s1", undefined],
    ["v1.33.5+k3s1", undefined],
    ["v1.33.10+k3s1", undefined],
    ["v1.34.1+k3s1", undefined],
  ];
  for (const [version, cure] of conversions) {
    it(`${version} ${cure === undefined ? "converts" : `does not convert; ${cure} does`}`, () => {
      assert.equal(cureOfConversion(version), cure);
    });
  }

  const removals: [version: string, cure: string | undefined][] = [
    ["v1.30.14+k3s1", "v1.32.10+k3s1"],
    ["v1.31.14+k3s1", "v1.32.10+k3s1"],
    ["v1.32.9+k3s1", "v1.32.10+k3s1"],
    ["v1.32.10+k3s1", undefined],
    ["v1.33.0+k3s1", "v1.33.6+k3s1"],
    ["v1.33.5+k3s1", "v1.33.6+k3s1"],
    ["v1.33.6+k3s1", undefined],
    ["v1.34.1+k3s1", "v1.34.2+k3s1"],
    ["v1.34.2+k3s1", undefined],
    ["v1.35.0+k3s1", undefined],
  ];
  for (const [version, cure] of removals) {
    it(`${version} ${cure === undefined ? "removes members" : `does not remove members; ${cure} does`}`, () => {
      assert.equal(cureOfRemoval(version), cure);
    });
  }

  it("the version to take has the defect no more", () => {
    fc.assert(
      fc.property(anyVersion, (version) => {
        const converts = cureOfConversion(version);
        const removes = cureOfRemoval(version);
        if (converts !== undefined) assert.equal(cureOfConversion(converts), undefined);
        if (removes !== undefined) assert.equal(cureOfRemoval(removes), undefined);
      }),
    );
  });
});
