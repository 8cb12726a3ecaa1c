/** Data that lie on a machine's own disk, of local-path volumes and of Longhorn: a promotion must not lose them. */
export const markers = ["/var/lib/rancher/k3s/storage/marker", "/var/lib/longhorn/marker"] as const;

/** What is written in each. */
export const markerText = "data that only this disk has\n";
