/** Of these machines, those that are not gone. */
export function present<Machine extends { readonly gone: boolean }>(
  machines: readonly Machine[],
): readonly Machine[] {
  return machines.filter(({ gone }) => !gone);
}
