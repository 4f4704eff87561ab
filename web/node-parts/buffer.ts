/** What simple-peer needs of Node's Buffer in a page: a view of the bytes a message brought. */
const buffer = { Buffer: { from: (bytes: ArrayBuffer) => new Uint8Array(bytes) } };

export { buffer as 'module.exports' };
