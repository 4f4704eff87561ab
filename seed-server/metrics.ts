import { Counter, type CounterConfiguration, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { OriginCounts } from './origin-messages.ts';

/** What is read when somebody asks. */
export interface MetricSources {
  signaling(): { connections: number; members: number; rooms: number; isOriginHere: boolean };
  origin(): { counts: OriginCounts; startCount: number };
  storedRooms(): Promise<number>;
}

/** Bytes of pieces that viewers say they received, by where from. */
export interface ReportedBytes {
  origin: number;
  peers: number;
  http: number;
}

/** What one server counts, as Prometheus reads it. No room, member or address is named anywhere. */
export class Metrics {
  readonly registry = new Registry();
  readonly #requests = this.#counter('http_requests_total', 'HTTP requests answered.', [
    'route',
    'method',
    'status',
  ]);
  readonly #bytes = this.#counter('http_bytes_total', 'Bytes of HTTP bodies.', ['route', 'direction']);
  readonly #errors = this.#counter('errors_total', 'Failures told to clients, by code.', ['code', 'by']);
  readonly #joins = this.#counter('joins_total', 'Members let in by signaling.', []);
  readonly #received = this.#counter(
    'viewer_received_bytes_total',
    'Bytes of pieces that viewers say they received, by source.',
    ['source'],
  );

  constructor(sources: MetricSources) {
    collectDefaultMetrics({ register: this.registry });
    this.#gauge('members', 'Members connected to signaling.', () => sources.signaling().members);
    this.#gauge('rooms', 'Rooms with members.', () => sources.signaling().rooms);
    this.#gauge('signaling_connections', 'Signaling connections.', () => sources.signaling().connections);
    this.#gauge('origin_up', '1 where the origin peer is there.', () =>
      Number(sources.signaling().isOriginHere),
    );
    this.#gauge('origin_members', 'Members connected to the origin.', () => sources.origin().counts.members);
    this.#gauge('origin_rooms', 'Rooms that the origin serves.', () => sources.origin().counts.rooms);
    this.#gauge(
      'origin_sent_bytes',
      'Bytes of pieces sent over data channels since the origin started.',
      () => sources.origin().counts.sentBytes,
    );
    this.#gauge('origin_starts', 'Times that the origin was started.', () => sources.origin().startCount);
    this.#gauge('stored_rooms', 'Rooms on disk.', () => sources.storedRooms());
  }

  /** An HTTP request was answered. `route` is its pattern, never its path. */
  answered(route: string, method: string, status: number, receivedBytes: number, sentBytes: number): void {
    this.#requests.inc({ route, method, status });
    this.#bytes.inc({ route, direction: 'received' }, receivedBytes);
    this.#bytes.inc({ route, direction: 'sent' }, sentBytes);
  }

  /** A client was told of a failure, by HTTP or signaling. */
  failed(by: 'http' | 'signaling', code: string): void {
    this.#errors.inc({ by, code });
  }

  /** A member was let in. */
  joined(): void {
    this.#joins.inc();
  }

  /** A viewer says what it received since it said so last. */
  reported(bytes: ReportedBytes): void {
    for (const [source, count] of Object.entries(bytes)) this.#received.inc({ source }, count);
  }

  /** The figures of the status page. */
  async now(): Promise<Record<string, number>> {
    const figures: Record<string, number> = {};
    for (const { name, values } of await this.registry.getMetricsAsJSON()) {
      figures[name] = values.reduce((sum, { value }) => sum + value, 0);
    }
    for (const { labels, value } of (await this.#received.get()).values) {
      figures[`matinee_received_from_${labels.source}`] = value;
    }
    return figures;
  }

  #counter<T extends string>(
    name: string,
    help: string,
    labelNames: CounterConfiguration<T>['labelNames'],
  ): Counter<T> {
    return new Counter({
      name: `matinee_${name}`,
      help,
      labelNames: labelNames ?? [],
      registers: [this.registry],
    });
  }

  #gauge(name: string, help: string, read: () => number | Promise<number>): void {
    new Gauge({
      name: `matinee_${name}`,
      help,
      registers: [this.registry],
      async collect() {
        this.set(await read());
      },
    });
  }
}
