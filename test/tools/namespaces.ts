import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from './run-program.ts';
import { tell } from './tell.ts';

/** The server's address on the made-up internet. */
export const SERVER_ADDRESS = '10.99.0.2';

/** How a home's router changes what goes out. */
export interface NatKind {
  /** One outside port for each destination, as some companies' and phones' networks do: nobody can be reached directly. */
  isSymmetric?: boolean;
  /** Lets out TCP to this port alone. Without UDP WebRTC still finds ways by TCP: the origin offers some. */
  onlyTcpPort?: number;
}

/** A network behind a router. */
export interface Home {
  name: string;
  /** What to run a program with there. */
  within: string[];
}

/** Whether this user may make networks with routers of each kind here. Says loudly where not. */
export async function canMakeNetworks(): Promise<boolean> {
  let networks: Networks | null = null;
  try {
    networks = await Networks.open();
    for (const kind of [{}, { isSymmetric: true }, { onlyTcpPort: 80 }]) await networks.home(kind);
    return true;
  } catch (error) {
    tell(`SKIPPED: no networks can be made here, so nothing was tried behind NAT (${String(error)}).`);
    return false;
  } finally {
    await networks?.close();
  }
}

/** A small internet in network namespaces: a switch, a server on it, and homes behind routers of their own. */
export class Networks {
  readonly #prefix = `mt${process.pid}`;
  readonly #names: string[] = [];
  #homeCount = 0;

  static async open(): Promise<Networks> {
    const networks = new Networks();
    try {
      await networks.#build();
      return networks;
    } catch (error) {
      await networks.close();
      throw error;
    }
  }

  /** What to run a program with on the server. */
  get server(): string[] {
    return this.within('srv');
  }

  /** Makes a home behind a router. */
  async home(kind: NatKind): Promise<Home> {
    this.#homeCount += 1;
    const n = this.#homeCount;
    const [nat, lan] = [`nat${n}`, `lan${n}`];
    await this.#router(nat, n, kind);
    await this.#namespace(lan);
    await this.#join(lan, nat, n);
    return { name: lan, within: this.within(lan) };
  }

  /** Takes a home's line away and gives it one at another router, with other addresses: as who leaves the house with a phone. */
  async move({ name }: Home): Promise<void> {
    this.#homeCount += 1;
    const n = this.#homeCount;
    await this.#router(`nat${n}`, n, {});
    await this.#in(name, 'ip link del eth0');
    await this.#join(name, `nat${n}`, n);
  }

  within(name: string): string[] {
    return ['ip', 'netns', 'exec', this.#full(name)];
  }

  /** A program in this folder that runs another one, with its arguments, in a home. */
  async launcher(folder: string, within: readonly string[], program: string): Promise<string> {
    const path = join(folder, 'launch');
    await writeFile(path, `#!/bin/sh\nexec ${within.join(' ')} ${program} "$@"\n`);
    await chmod(path, 0o755);
    return path;
  }

  /** Removes all of it. What still runs there has lost its network. */
  async close(): Promise<void> {
    for (const name of this.#names.splice(0)) await ip('netns', 'del', name);
  }

  async #build(): Promise<void> {
    await this.#namespace('wan');
    await this.#in('wan', 'ip link add br0 type bridge');
    await this.#in('wan', 'ip link set br0 up');
    await this.#namespace('srv');
    await this.#plugIn('srv', `${SERVER_ADDRESS}/24`);
  }

  async #router(nat: string, n: number, kind: NatKind): Promise<void> {
    await this.#namespace(nat);
    await this.#plugIn(nat, `10.99.0.${10 + n}/24`);
    // No sysctl: it is not everywhere.
    const forward = 'echo 1 > /proc/sys/net/ipv4/ip_forward';
    await runProgram('ip', ['netns', 'exec', this.#full(nat), 'sh', '-c', forward]);
    await this.#rules(nat, kind);
  }

  async #join(lan: string, nat: string, n: number): Promise<void> {
    await this.#in(nat, `ip link add in0 type veth peer name eth0 netns ${this.#full(lan)}`);
    await this.#in(nat, `ip addr add 192.168.${n}.1/24 dev in0`);
    await this.#in(nat, 'ip link set in0 up');
    await this.#in(lan, `ip addr add 192.168.${n}.2/24 dev eth0`);
    await this.#in(lan, 'ip link set eth0 up');
    await this.#in(lan, `ip route add default via 192.168.${n}.1`);
  }

  async #rules(nat: string, { isSymmetric = false, onlyTcpPort }: NatKind): Promise<void> {
    const rules = [
      'table ip nat {',
      'chain out {',
      'type nat hook postrouting priority 100;',
      `oifname "eth0" masquerade ${isSymmetric ? 'fully-random' : ''}`,
      '}',
      '}',
      'table ip filter {',
      // Else what knocks before we have spoken is tracked as the router's own, and takes the port that our answer needs.
      'chain in {',
      'type filter hook input priority 0; policy drop;',
      'iifname != "eth0" accept',
      'ct state established,related accept',
      '}',
      'chain pass {',
      'type filter hook forward priority 0; policy drop;',
      ...(onlyTcpPort ? ['meta l4proto udp drop', `iifname "in0" tcp dport != ${onlyTcpPort} drop`] : []),
      'ct state established,related accept',
      'iifname "in0" accept',
      '}',
      '}',
    ];
    await runProgram('ip', ['netns', 'exec', this.#full(nat), 'nft', rules.join('\n')]);
  }

  async #plugIn(name: string, address: string): Promise<void> {
    await this.#in('wan', `ip link add to-${name} type veth peer name eth0 netns ${this.#full(name)}`);
    await this.#in('wan', `ip link set to-${name} master br0 up`);
    await this.#in(name, `ip addr add ${address} dev eth0`);
    await this.#in(name, 'ip link set eth0 up');
  }

  async #namespace(name: string): Promise<void> {
    await ip('netns', 'add', this.#full(name));
    this.#names.push(this.#full(name));
    await this.#in(name, 'ip link set lo up');
  }

  async #in(name: string, command: string): Promise<void> {
    await runProgram('ip', ['netns', 'exec', this.#full(name), ...command.split(' ')]);
  }

  #full(name: string): string {
    return `${this.#prefix}-${name}`;
  }
}

async function ip(...args: string[]): Promise<void> {
  await runProgram('ip', args);
}
