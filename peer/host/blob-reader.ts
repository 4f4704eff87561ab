type Read = (start: number, end: number) => Promise<Uint8Array>;

/**
 * The bytes of a file (start inclusive, end exclusive; fewer where the file ends before), each read by itself. Not out of a stream,
 * though that is a little less work: in Chromium (156) one with a reader's own buffers stood still for ever about once in a gigabyte, and
 * WebKit's do too.
 */
export function readSlices(file: Blob): Read {
  return async (start, end) => new Uint8Array(await file.slice(start, end).arrayBuffer());
}
