import { createServer } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseCrypto } from '../../peer/crypto/choose.ts';
import { buildHttp } from '../../seed-server/http.ts';
import { createLog } from '../../seed-server/log.ts';
import { FileStore } from '../../seed-server/store/file-store.ts';
import { remoteDoor } from '../../signaling/remote-door.ts';
import { MadeRoom } from '../tools/made-room.ts';
import { temporaryFolder } from '../tools/temporary-folder.ts';

const crypto = await chooseCrypto();
const door = suite('the door of a signaling server that runs alone');

door('should let in exactly whom the seed server would', async () => {
  const { path, remove } = await temporaryFolder();
  try {
    const store = await FileStore.open(crypto, path);
    const log = createLog('silent');
    const app = await buildHttp({ store, crypto, webFolder: path, log, onChange: () => {} });
    try {
      const made = await MadeRoom.create(crypto);
      const other = await MadeRoom.create(crypto);
      await store.putRecord(made.room, await made.record());
      const { admit } = remoteDoor(await app.listen({ host: '127.0.0.1', port: 0 }));
      assert.is(await admit(made.room, made.token, null), 'ok');
      assert.is(await admit(made.room, other.token, null), 'bad-token');
      assert.is(await admit(other.room, made.token, null), 'no-room');
    } finally {
      app.server.closeAllConnections();
      await app.close();
    }
  } finally {
    await remove();
  }
});

door('should reject where the seed server fails or is away, for the client to try again', async () => {
  const failing = createServer((_request, response) => response.writeHead(502).end());
  await new Promise<void>((resolve) => failing.listen(0, '127.0.0.1', resolve));
  const address = failing.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const { admit } = remoteDoor(`http://127.0.0.1:${port}`);
  const outcome = () => admit('a'.repeat(22), 'T'.repeat(43), null).then(String, () => 'rejected');
  assert.is(await outcome(), 'rejected');
  failing.closeAllConnections();
  await new Promise((resolve) => failing.close(resolve));
  assert.is(await outcome(), 'rejected');
});

door.run();
