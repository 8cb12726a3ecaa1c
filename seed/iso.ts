const SECTOR = 2048;
/** Below are 16 sectors of nobody, two descriptors, a path table in either order of bytes, and the root directory. */
const FIRST = { descriptor: 16, end: 17, littleTable: 18, bigTable: 19, root: 20, file: 21 };
/** 2020-01-01, so that the same files are the same image. */
const DIRECTORY_DATE = Buffer.from([120, 1, 1, 0, 0, 0, 0]);
const VOLUME_DATE = Buffer.from("2020010100000000\0", "latin1");
const NO_DATE = Buffer.from("0000000000000000\0", "latin1");

/**
 * An ISO 9660 image with a few files in its root, of which the label says to cloud-init that they are for it. Linux shows
 * their names in small letters. Without Rock Ridge and Joliet, of which a seed needs nothing.
 *
 * @param label at most 32 characters, for cloud-init `cidata`
 * @param files text by name, at most 30 characters each; together at most some MiB
 * @throws RangeError when a name can't stand in such an image, or there are too many
 * @see https://ecma-international.org/publications-and-standards/standards/ecma-119/
 */
export function isoImage(label: string, files: Readonly<Record<string, string>>): Buffer {
  const entries = entriesOf(files);
  const end = entries.at(-1)?.end ?? FIRST.file;
  const records = entries.map(({ name, sector, data }) =>
    record(Buffer.from(`${name.toUpperCase()};1`), sector, data.length, 0),
  );
  const self = record(Buffer.from([0]), FIRST.root, SECTOR, 2);
  const parent = record(Buffer.from([1]), FIRST.root, SECTOR, 2);
  const root = Buffer.concat([self, parent, ...records]);
  if (root.length > SECTOR) throw new RangeError("too many files for a root of one sector");
  const image = Buffer.alloc(end * SECTOR);
  const put = (bytes: Buffer, sector: number): number => bytes.copy(image, sector * SECTOR);
  put(volumeDescriptor(label, end, self), FIRST.descriptor);
  put(Buffer.from("\xffCD001\x01", "latin1"), FIRST.end);
  put(pathTable("little"), FIRST.littleTable);
  put(pathTable("big"), FIRST.bigTable);
  put(root, FIRST.root);
  for (const { data, sector } of entries) put(data, sector);
  return image;
}

/**
 * The files in the root of such an image, text by name in small letters.
 * @throws RangeError when it is no ISO 9660 image
 */
export function filesOfIso(image: Buffer): Record<string, string> {
  const descriptor = image.subarray(FIRST.descriptor * SECTOR);
  if (descriptor.toString("latin1", 1, 6) !== "CD001")
    throw new RangeError("not an ISO 9660 image");
  const files: Record<string, string> = {};
  const rootSector = descriptor.readUInt32LE(156 + 2);
  const root = image.subarray(rootSector * SECTOR, (rootSector + 1) * SECTOR);
  for (let at = 0; (root[at] ?? 0) > 0; at += root[at] ?? 0) {
    const isDirectory = ((root[at + 25] ?? 0) & 2) !== 0;
    if (isDirectory) continue;
    const name = root.toString("latin1", at + 33, at + 33 + (root[at + 32] ?? 0));
    const start = root.readUInt32LE(at + 2) * SECTOR;
    const text = image.toString("utf8", start, start + root.readUInt32LE(at + 10));
    files[name.replace(/;1$/, "").toLowerCase()] = text;
  }
  return files;
}

/** In the order of their names, as a directory must be. */
function entriesOf(
  files: Readonly<Record<string, string>>,
): { name: string; sector: number; end: number; data: Buffer }[] {
  let sector = FIRST.file;
  return Object.entries(files)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, text]) => {
      if (!/^[a-z0-9_-]{1,30}$/.test(name)) throw new RangeError(`"${name}" is no name for a file`);
      const data = Buffer.from(text);
      const start = sector;
      sector += Math.max(1, Math.ceil(data.length / SECTOR));
      return { name, sector: start, end: sector, data };
    });
}

function record(name: Buffer, sector: number, length: number, flags: number): Buffer {
  const bytes = Buffer.alloc(33 + name.length + (name.length % 2 === 0 ? 1 : 0));
  bytes.writeUInt8(bytes.length, 0);
  both32(bytes, sector, 2);
  both32(bytes, length, 10);
  DIRECTORY_DATE.copy(bytes, 18);
  bytes.writeUInt8(flags, 25);
  both16(bytes, 1, 28);
  bytes.writeUInt8(name.length, 32);
  name.copy(bytes, 33);
  return bytes;
}

/** Of the root alone. */
function pathTable(order: "little" | "big"): Buffer {
  const bytes = Buffer.alloc(10);
  bytes.writeUInt8(1, 0);
  if (order === "little") {
    bytes.writeUInt32LE(FIRST.root, 2);
    bytes.writeUInt16LE(1, 6);
  } else {
    bytes.writeUInt32BE(FIRST.root, 2);
    bytes.writeUInt16BE(1, 6);
  }
  return bytes;
}

function volumeDescriptor(label: string, sectors: number, root: Buffer): Buffer {
  if (label.length > 32) throw new RangeError(`"${label}" is too long for a label`);
  const bytes = Buffer.alloc(SECTOR);
  bytes.write("\x01CD001\x01", 0, "latin1");
  // Texts are filled up with blanks: system, volume, and from 190 on who made it of what.
  bytes.fill(" ", 8, 72);
  bytes.write(label, 40, "latin1");
  both32(bytes, sectors, 80);
  both16(bytes, 1, 120);
  both16(bytes, 1, 124);
  both16(bytes, SECTOR, 128);
  both32(bytes, 10, 132);
  bytes.writeUInt32LE(FIRST.littleTable, 140);
  bytes.writeUInt32BE(FIRST.bigTable, 148);
  root.copy(bytes, 156);
  bytes.fill(" ", 190, 813);
  for (const [date, at] of [
    [VOLUME_DATE, 813],
    [VOLUME_DATE, 830],
    [NO_DATE, 847],
    [NO_DATE, 864],
  ] as const) {
    date.copy(bytes, at);
  }
  bytes.writeUInt8(1, 881);
  return bytes;
}

function both32(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value, at);
  bytes.writeUInt32BE(value, at + 4);
}

function both16(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt16LE(value, at);
  bytes.writeUInt16BE(value, at + 2);
}
