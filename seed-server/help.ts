import { VARIABLES } from './variables.ts';

const USAGE = `Matinee: a room you open with a link, to watch a film together.

  npm start                  builds the pages and serves
  npm run matinee -- serve   serves what is built
  npm run matinee -- rooms   lists the rooms of the data folder
  npm run matinee -- rm ROOM removes a room and all it holds; everybody in it is sent away
  npm run matinee -- gc [--days N]
                             removes rooms that were not used for N days (ROOM_DAYS where left out)
  npm run matinee -- help    this text
  npm run host -- --help     how to host a film from the command line

rooms, rm and gc work while the server runs on the same DATA_DIR: it does what they ask. It need not run.

Configuration, from the environment and from a file .env in the current folder (NAME=VALUE lines; the environment wins):
`;

/** Columns of a terminal that the help fits. */
const WIDTH = 100;
const INDENT = 21;

/** What the program can do, and all of its configuration. */
export function helpText(): string {
  const entries = Object.entries(VARIABLES).map(([name, { about, fallback }]) =>
    describeVariable(name, `${about} (default: ${fallback})`),
  );
  return `${USAGE}\n${entries.join('\n')}\n`;
}

function describeVariable(name: string, text: string): string {
  const lines: string[] = [];
  let line = `  ${name}`.padEnd(INDENT);
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > WIDTH) {
      lines.push(line.trimEnd());
      line = ' '.repeat(INDENT);
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].join('\n');
}
