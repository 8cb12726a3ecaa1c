import assert from "node:assert/strict";

import { findChecksum } from "../../tools/toolchain/checksums.ts";

describe("a list of checksums", () => {
  const one = "1".repeat(64);
  const two = "2".repeat(64);

  const lists: readonly (readonly [string, string, string | undefined])[] = [
    ["names a file", `${one}  a.tar.gz\n${two}  b.tar.gz\n`, two],
    ["names a file read in binary mode", `${two} *b.tar.gz\n`, two],
    ["names a file with its folder", `${two}  ./b.tar.gz\n`, two],
    ["is a bare checksum", `${two}\n`, two],
    ["names only other files", `${one}  a.tar.gz\n${one}  b.tar.gz.sig\n`, undefined],
    ["is a page that says that there is none", "<html>Not Found</html>", undefined],
  ];
  for (const [title, list, expected] of lists) {
    it(title, () => assert.equal(findChecksum(list, "b.tar.gz"), expected));
  }
});
