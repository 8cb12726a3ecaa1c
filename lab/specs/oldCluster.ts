import { initial, shell } from "./support.ts";

const database = "/var/lib/rancher/k3s/server/db/state.db";
const environment = "/etc/systemd/system/k3s.service.env";

/** How a young cluster on SQLite is made to look like one of many years. */
export interface Age {
  /** Revisions go on from here. */
  readonly revision: number;
  /** How long the double of k3s takes over each key that it copies, as if there were many. */
  readonly copyDelayMs: number;
}

/**
 * Makes the cluster look old; k3s is stopped for it. The row is of the kind with which kine fills a gap between
 * revisions.
 * @see https://github.com/k3s-io/kine/blob/v0.16.4/pkg/drivers/generic/generic.go (Fill)
 */
export async function makeLookOld({ revision, copyDelayMs }: Age): Promise<void> {
  const columns =
    "id, name, created, deleted, create_revision, prev_revision, lease, value, old_value";
  const row = `${String(revision)}, 'gap-${String(revision)}', 0, 1, 0, 0, 0, NULL, NULL`;
  await shell(
    initial.name,
    `systemctl stop k3s
    sqlite3 ${database} "INSERT INTO kine(${columns}) VALUES(${row})"
    echo TRIAD_DOUBLE_MIGRATION_DELAY_MS=${String(copyDelayMs)} >>${environment}
    systemctl start k3s`,
  );
}
