/** A program, and the Debian or Ubuntu package that has it. */
export interface AptPackage {
  readonly program: string;
  readonly package: string;
}

/** What the checks need beside Node. */
export const checkPackages: readonly AptPackage[] = [
  { program: "shellcheck", package: "shellcheck" },
  { program: "tar", package: "tar" },
  // The scripts are run against the real thing, as plain processes on loopback.
  { program: "haproxy", package: "haproxy" },
  { program: "keepalived", package: "keepalived" },
  { program: "named", package: "bind9" },
  { program: "nsupdate", package: "bind9-dnsutils" },
  { program: "socat", package: "socat" },
  { program: "curl", package: "curl" },
  { program: "openssl", package: "openssl" },
  { program: "ip", package: "iproute2" },
  { program: "unshare", package: "util-linux" },
];

/** What the lab needs on the computer that it runs on. Add here; machines have their own list. */
export const labPackages: readonly AptPackage[] = [
  { program: "mmdebstrap", package: "mmdebstrap" },
  { program: "systemd-nspawn", package: "systemd-container" },
  { program: "ip", package: "iproute2" },
  { program: "nsenter", package: "util-linux" },
  { program: "ssh-keygen", package: "openssh-client" },
  { program: "gcc", package: "gcc" }, // flannel is built with cgo
  { program: "gcc", package: "libc6-dev" }, // which gcc only recommends
  { program: "git", package: "git" },
];
