import assert from "node:assert/strict";
import { diskDifferences } from "../../lab/measure/diskState.ts";

describe("differences between two states of a disk", () => {
  it("name what came, went and changed", () => {
    const before = new Map([
      ["/etc", "d 755 0:0"],
      ["/etc/hosts", "f 644 0:0 1111"],
      ["/etc/fstab", "f 644 0:0 2222"],
    ]);
    const now = new Map([
      ["/etc", "d 755 0:0"],
      ["/etc/hosts", "f 600 0:0 1111"],
      ["/etc/new", "d 755 0:0"],
      ["/etc/new/file", "f 644 0:0 3333"],
    ]);
    assert.deepEqual(diskDifferences(before, now), [
      "- /etc/fstab",
      "~ /etc/hosts: f 644 0:0 1111 → f 600 0:0 1111",
      "+ /etc/new",
      "+ /etc/new/file",
    ]);
  });
});
