import * as v from 'valibot';
import type { Admission, Door, NotAdmitted } from './door.ts';
import { Turns } from './turns.ts';

/** A seed server that answers slower is as good as away. */
const ANSWER_WITHIN_MS = 5000;

/** Requests at a time: a quarter of the connections that the seed server takes from one address. */
const MAX_ASKING = 64;

/** How often the seed server is asked whether the host's rules have changed: how long one who was removed may stay. */
const ASK_EVERY_MS = 5000;

/** A room is asked about until nobody was in it so many times in a row: one who was just let in is not there yet. */
const MAX_EMPTY = 2;

const ADMISSIONS = {
  ROOM_UNKNOWN: 'no-room',
  TOKEN_WRONG: 'bad-token',
  REMOVED: 'removed',
  ROOM_LOCKED: 'locked',
} as const satisfies Record<string, NotAdmitted>;

/** The body of an answer that says no; of others it cannot be told what they mean. */
const refusal = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({ code: v.picklist(['ROOM_UNKNOWN', 'TOKEN_WRONG', 'REMOVED', 'ROOM_LOCKED']) }),
);

/** The body of an answer that says yes: the number of the host's rules, 0 where there are none, and whether members may meet. */
const welcome = v.pipe(v.string(), v.parseJson(), v.object({ rules: v.number(), isOriginOnly: v.boolean() }));
type Rules = v.InferOutput<typeof welcome>;

/** A room that somebody was let into. */
interface KnownRoom {
  /** What opens it. */
  token: string;
  /** The rules that everybody in it was held to. */
  rules: number;
  isOriginOnly: boolean;
  emptyCount: number;
}

/** A door that asks a seed server, for a signaling server that runs apart from it. */
export class RemoteDoor implements Door {
  readonly #seedServer: string;
  readonly #rooms = new Map<string, KnownRoom>();
  readonly #turns = new Turns(MAX_ASKING);

  /** @param seedServer its address, for example http://localhost:8080. */
  constructor(seedServer: string) {
    this.#seedServer = seedServer;
  }

  /** Rejects where the seed server does not answer as it should. */
  async admit(room: string, token: string, member: string | null): Promise<Admission> {
    const answer = await this.#ask(room, token, member);
    if (typeof answer === 'string') return answer;
    const known = this.#rooms.get(room);
    // The number stays as it was: those who came before have not been held to newer rules yet.
    if (known) known.isOriginOnly = answer.isOriginOnly;
    else this.#rooms.set(room, { token, ...answer, emptyCount: 0 });
    return 'ok';
  }

  async mayMeet(room: string): Promise<boolean> {
    return !this.#rooms.get(room)?.isOriginOnly;
  }

  /**
   * Asks about all rooms with members from time to time.
   * @param onChange the host's rules of this room are new, or it is gone.
   * @returns ends it.
   */
  watch(
    hasMembers: (room: string) => Promise<boolean>,
    onChange: (room: string) => void,
    everyMs = ASK_EVERY_MS,
  ): () => void {
    let isOver = false;
    let timer: NodeJS.Timeout | undefined;
    const look = async (): Promise<void> => {
      const changed = await this.#changedRooms(hasMembers);
      if (isOver) return;
      for (const room of changed) onChange(room);
      timer = setTimeout(look, everyMs);
    };
    timer = setTimeout(look, everyMs);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }

  async #changedRooms(hasMembers: (room: string) => Promise<boolean>): Promise<string[]> {
    const rooms = await Promise.all(
      [...this.#rooms].map(async ([room, known]) => {
        known.emptyCount = (await hasMembers(room)) ? 0 : known.emptyCount + 1;
        if (known.emptyCount < MAX_EMPTY) return (await this.#hasChanged(room, known)) ? room : null;
        this.#rooms.delete(room);
        return null;
      }),
    );
    return rooms.filter((room) => room !== null);
  }

  /** Whether those in a room are to be asked for again. False also where the seed server is away: that is for later. */
  async #hasChanged(room: string, known: KnownRoom): Promise<boolean> {
    try {
      const answer = await this.#ask(room, known.token, null);
      if (typeof answer === 'string') return this.#rooms.delete(room);
      const isNew = answer.rules !== known.rules;
      Object.assign(known, answer);
      return isNew;
    } catch {
      return false;
    }
  }

  /** What the seed server says of a room, or why it does not let this token or member in. */
  async #ask(room: string, token: string, member: string | null): Promise<Rules | NotAdmitted> {
    const query = member === null ? '' : `?member=${member}`;
    const { isYes, status, body } = await this.#turns.run(async () => {
      const response = await fetch(new URL(`/api/rooms/${room}${query}`, this.#seedServer), {
        headers: { authorization: `Bearer ${token}` },
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      return { isYes: response.ok, status: response.status, body: await response.text() };
    });
    if (isYes) return v.parse(welcome, body);
    const parsed = v.safeParse(refusal, body);
    if (parsed.success) return ADMISSIONS[parsed.output.code];
    throw new Error(`the seed server answers ${status}`);
  }
}
