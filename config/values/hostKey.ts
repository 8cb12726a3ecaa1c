import type { Complaint } from "./complaint.ts";

const TYPES = [
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
];

/** How to get a host key, for cures. */
export const HOW_TO_GET =
  "take type and key from `ssh-keyscan -t ed25519 ADDRESS` and compare them with " +
  "/etc/ssh/ssh_host_ed25519_key.pub on the machine's console";

/** Refuses what is not the two words, type and base64, of an OpenSSH public key. */
export function judgeHostKey(value: string): Complaint | undefined {
  const words = value.trim().split(/\s+/);
  const start = words.findIndex((word) => TYPES.includes(word));
  const [type, key] = start < 0 ? [] : words.slice(start, start + 2);
  if (type === undefined || key === undefined || typeInside(key) !== type) {
    return { problem: "is not an OpenSSH public key", cure: HOW_TO_GET };
  }
  if (value === `${type} ${key}`) return undefined;
  return {
    problem: "has more than the type and the key",
    cure: `leave out the rest, so that it reads "${type} ${key}"`,
  };
}

/**
 * The type that a key says it is of: a length of four bytes, then so many characters (RFC 4253,
 * section 6.6).
 */
function typeInside(base64: string): string | undefined {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64") !== base64 || bytes.length < 4) return undefined;
  const length = bytes.readUInt32BE(0);
  // Behind the type there must be the key's own numbers, 32 bytes at least in every type above.
  if (bytes.length < 4 + length + 32) return undefined;
  return bytes.toString("latin1", 4, 4 + length);
}
