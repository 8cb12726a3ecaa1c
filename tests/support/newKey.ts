import { randomBytes } from "node:crypto";
import { type HostKey, hostKeyOf } from "../../seed/hostKey.ts";

/** A new key pair. Of those that ssh2 itself makes, it can't read one in some hundreds. */
export function newKey(): HostKey {
  const seed = randomBytes(32).toString("hex");
  return hostKeyOf(seed, { cluster: "tests", machine: "any" });
}
