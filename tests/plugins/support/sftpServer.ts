import { closeSync, mkdirSync, openSync, statSync, writeSync } from "node:fs";

import ssh2 from "ssh2";
import type { SFTPWrapper } from "ssh2";

const { STATUS_CODE } = ssh2.utils.sftp;

/** Answers what a client needs to write files: stat, mkdir, open, write, close. */
export function serveFiles(sftp: SFTPWrapper): void {
  const answer = (request: number, work: () => unknown): void => {
    try {
      work();
      sftp.status(request, STATUS_CODE.OK);
    } catch {
      sftp.status(request, STATUS_CODE.FAILURE);
    }
  };
  const stat = (request: number, path: string): void => {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) {
      sftp.status(request, STATUS_CODE.NO_SUCH_FILE);
      return;
    }
    const { mode, uid, gid, size } = found;
    sftp.attrs(request, { mode, uid, gid, size, atime: 0, mtime: 0 });
  };
  sftp.on("STAT", stat);
  sftp.on("LSTAT", stat);
  sftp.on("MKDIR", (request, path) => answer(request, () => mkdirSync(path)));
  sftp.on("OPEN", (request, path) => {
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(openSync(path, "w"));
    sftp.handle(request, handle);
  });
  sftp.on("WRITE", (request, handle, offset, data) =>
    answer(request, () => writeSync(handle.readUInt32BE(), data, 0, data.length, offset)),
  );
  sftp.on("FSETSTAT", (request) => sftp.status(request, STATUS_CODE.OK));
  sftp.on("CLOSE", (request, handle) => answer(request, () => closeSync(handle.readUInt32BE())));
}
