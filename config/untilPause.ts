/** The servers of a list up to the one after which to pause, or all of them without such a one. */
export function untilPause<Name extends string | undefined>(
  servers: readonly Name[],
  pauseAfter: Name | undefined,
): readonly Name[] {
  const last = pauseAfter === undefined ? -1 : servers.indexOf(pauseAfter);
  return last < 0 ? servers : servers.slice(0, last + 1);
}
