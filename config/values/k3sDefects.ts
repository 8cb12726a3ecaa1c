/** Of a minor version the first patch release that is as said. */
type PatchOf = Readonly<Record<number, number>>;

/**
 * The releases of May 2025 lose what is in SQLite when they convert it; the next ones don't.
 * @see https://github.com/k3s-io/k3s/issues/12478
 */
const CONVERSION_BROKEN_IN: PatchOf = { 30: 13, 31: 9, 32: 5, 33: 1 };

/**
 * Before the releases of October 2025 the removal of a member may hang or be forgotten; minor
 * versions older than these got no such release.
 * @see https://github.com/k3s-io/k3s/issues/12908
 * @see https://github.com/k3s-io/k3s/issues/12920
 */
const REMOVAL_WORKS_FROM: PatchOf = { 32: 10, 33: 6, 34: 2 };
const OLDEST_WITH_REMOVAL = 32;

/** The version to take in place of one that does not convert SQLite to etcd; undefined if it does. */
export function cureOfConversion(version: string): string | undefined {
  const [minor, patch] = numbers(version);
  return CONVERSION_BROKEN_IN[minor] === patch ? release(minor, patch + 1) : undefined;
}

/** The version to take in place of one that does not remove members well; undefined if it does. */
export function cureOfRemoval(version: string): string | undefined {
  const [minor, patch] = numbers(version);
  const curedMinor = Math.max(minor, OLDEST_WITH_REMOVAL);
  const curedPatch = REMOVAL_WORKS_FROM[curedMinor];
  if (curedPatch === undefined || (minor === curedMinor && patch >= curedPatch)) return undefined;
  return release(curedMinor, curedPatch);
}

function numbers(version: string): [minor: number, patch: number] {
  const [, minor, patch] = /^v1\.(\d+)\.(\d+)/.exec(version) ?? [];
  return [Number(minor), Number(patch)];
}

function release(minor: number, patch: number): string {
  return `v1.${minor}.${patch}+k3s1`;
}
