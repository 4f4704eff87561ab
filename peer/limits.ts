/**
 * The bounds of everything a stranger can make us hold or do. Each says its unit, what an honest peer
 * needs, and why the number.
 */

/** Bytes of one piece at most: the unit of request, verification and one data-channel message. 64 KiB is what every browser carries in one message. */
export const PIECE_BYTES = 64 * 1024;

/**
 * Bytes of a piece in a segment of up to SMALL_SEGMENT_BYTES: a piece must be small in time, for a viewer can pass it on only
 * once it has all of it. At 1.5 Mbit/s a crowd of 50 starts a second sooner than with 64 KiB (simulated).
 */
export const SMALL_PIECE_BYTES = 16 * 1024;

/** 2 s at 4 Mbit/s. */
export const SMALL_SEGMENT_BYTES = 1024 * 1024;

/** Bytes of a SHA-256. */
export const HASH_BYTES = 32;

/** Bytes in one segment at most. A 10 s group of pictures at 50 Mbit/s has 62 MB; beyond that a seek would be hopeless. */
export const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;

/** Segments in one manifest page at most: about a minute of film and 8 kB to fetch before the first frame. */
export const MAX_PAGE_SEGMENTS = 32;

/** Pieces listed in one manifest page at most, so that a page (32 bytes a piece) always fits one frame. */
export const MAX_PAGE_PIECES = 1024;

/** Pages in one manifest at most: 1,200 x 45 bytes fit one frame, and hold more than 20 hours of two-second segments. */
export const MAX_PAGES = 1200;

/** Bytes of one wire frame at most: a piece and its 8-byte header. */
export const MAX_FRAME_BYTES = PIECE_BYTES + 8;

/** Bytes of a sealed video description at most; an honest one has about 300. */
export const MAX_INFO_BYTES = 4096;

/** Milliseconds of media in one video at most: a day. */
export const MAX_DURATION_MS = 24 * 60 * 60 * 1000;

/** Characters of one chat line at most; the page refuses longer ones before they are sent. */
export const MAX_CHAT_CHARS = 2000;

/** Characters of a room password at most: a sentence. */
export const MAX_PASSWORD_CHARS = 200;

/** Characters of a display name at most. */
export const MAX_NAME_CHARS = 40;

/** Bytes of one sealed chat line: 2,000 characters of four bytes, the name, and the seal. */
export const MAX_SEALED_CHAT_BYTES = 9 * 1024;

/** Chat lines every peer keeps for those who join late. */
export const MAX_CHAT_LINES = 200;

/** Reactions to chat lines every peer keeps for those who join late. */
export const MAX_REACTIONS = 400;

/** Bytes of one sealed reaction, or of one word in passing: about 400, and a name of 40 characters. */
export const MAX_SEALED_WORD_BYTES = 1024;

/** Requests a peer may have waiting at us. An honest one leaves at most MAX_STANDING_PIECES at the origin. */
export const MAX_QUEUED_REQUESTS = 640;

/** Requests a viewer leaves at the origin at most: half a minute at 4 Mbit/s. */
export const MAX_STANDING_PIECES = 512;

/** Pieces on their way from one peer at most: 4 MiB, enough for 20 MB/s at 200 ms. */
export const MAX_PIPELINE_PIECES = 64;

/** Bytes waiting for one peer at most, control included; a peer that lets more pile up is gone or hostile. Chromium kills a channel at 16 MiB. */
export const MAX_WAITING_BYTES = 12 * 1024 * 1024;

/** Bytes of one sealed statement of where the room is, or of who stands still: 400 and two names of 40 characters. */
export const MAX_SEALED_SYNC_BYTES = 1024;
