import { OriginProcess } from '../../seed-server/origin-process.ts';

/** Stands in for a main process that starts an origin and then is killed. Arguments: the origin's script and its port. */
const [script = '', port = ''] = process.argv.slice(2);

new OriginProcess({
  script,
  environment: {
    SIGNALING_URL: port,
    ORIGIN_KEY: '',
    DATA_DIR: '',
    ORIGIN_MBIT: '0',
    ORIGIN_PEERS: '64',
    ORIGIN_UDP_PORTS: '',
    LOG_LEVEL: 'silent',
  },
  log: { info: () => {}, warn: () => {} },
});
