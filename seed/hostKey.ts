import { createHash, createPrivateKey, createPublicKey, hkdfSync } from "node:crypto";

/** A secret shorter than this, in characters, could be guessed. */
export const leastSeedLength = 32;

const TYPE = "ssh-ed25519";
/** In front of the 32 bytes of a private key: PKCS #8 with the identifier of Ed25519 (RFC 8410, section 7). */
const PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** Of which machine a key is. */
export interface KeyOwner {
  /** The cluster's name. */
  readonly cluster: string;
  readonly machine: string;
}

/** A host key of a machine that Triad creates. */
export interface HostKey {
  /** Type and base64, as in `machines.<name>.hostKey`. */
  readonly public: string;
  /** An OpenSSH private key, as sshd reads it. Secret. */
  readonly private: string;
}

/**
 * The host key of a machine: always the same for the same seed, so that it is known before the machine exists, on every
 * computer that runs Triad, and stays when the machine is made anew.
 *
 * @param seed the stack's secret `hostKeySeed`
 * @see RFC 5869 for HKDF, RFC 8032 for Ed25519
 */
export function hostKeyOf(seed: string, { cluster, machine }: KeyOwner): HostKey {
  const info = `triad ssh host key ${cluster}/${machine}`;
  const secret = Buffer.from(hkdfSync("sha256", seed, "", info, 32));
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8, secret]),
    format: "der",
    type: "pkcs8",
  });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  const point = spki.subarray(spki.length - 32);
  return { public: `${TYPE} ${publicBlob(point).toString("base64")}`, private: pem(secret, point) };
}

function publicBlob(point: Buffer): Buffer {
  return Buffer.concat([field(TYPE), field(point)]);
}

/** @see https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key */
function pem(secret: Buffer, point: Buffer): string {
  const checkOf = createHash("sha256").update(point).digest().subarray(0, 4);
  const inner = Buffer.concat([
    // Twice the same number, by which a reader knows that it has decrypted right; here nothing is encrypted.
    checkOf,
    checkOf,
    field(TYPE),
    field(point),
    field(Buffer.concat([secret, point])),
    field(""),
  ]);
  const padding = Buffer.from([1, 2, 3, 4, 5, 6, 7].slice(0, (8 - (inner.length % 8)) % 8));
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    Buffer.from([0, 0, 0, 1]),
    field(publicBlob(point)),
    field(Buffer.concat([inner, padding])),
  ]);
  const lines = body.toString("base64").match(/.{1,70}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

/** A string of SSH: its length in four bytes, then it (RFC 4251, section 5). */
function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
