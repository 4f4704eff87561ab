import type { Browser, Locator, Page } from 'playwright-core';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { launchBrowser } from '../tools/browser.ts';
import { lightClip } from '../tools/clips.ts';
import { type RunningServer, startBuiltServer } from '../tools/running-server.ts';
import { hostFromCommandLine } from './host-cli.ts';
import { say, seek, untilMembers, type Visitor, visit } from './pages.ts';

interface Room {
  server: RunningServer;
  browser: Browser;
  link: string;
}

async function openRoom(): Promise<Room> {
  const clip = await lightClip(10);
  const server = await startBuiltServer();
  const browser = await launchBrowser();
  return { server, browser, link: await hostFromCommandLine(clip.path, server.url) };
}

/** One for both suites. */
const room = openRoom();

const chat = suite<Room>('chat in the room');

chat.before(async (context) => {
  Object.assign(context, await room);
});

chat(
  'should bring a line to everyone within a second, and to those who join later',
  async ({ browser, link }) => {
    const [ann, ben, cem] = await Promise.all([
      visit(browser, link),
      visit(browser, link),
      visit(browser, link),
    ]);
    for (const { page } of [ann, ben, cem]) {
      await page.waitForFunction(() => window.matinee?.stats().connectedPeers === 3);
    }
    await ann.page.getByTestId('name-input').fill('Ann');
    await ann.page.getByTestId('name-input').press('Enter');
    const text = 'Is that <b>rabbit</b> all right? 🐰';
    await sayInTime(ann.page, text, [ann.page, ben.page, cem.page]);
    for (const { page } of [ann, ben, cem]) {
      const line = page.getByTestId('chat-line').filter({ hasText: text }).first();
      await line.waitFor();
      assert.match(await line.innerText(), 'Ann');
      assert.match(await line.innerText(), /\d{1,2}:\d\d/);
    }
    await ann.context.close();
    const late = await visit(browser, link);
    await late.page.getByTestId('chat-line').filter({ hasText: text }).first().waitFor();
    for (const visitor of [ben, cem, late]) {
      assert.equal(visitor.errors, []);
      await visitor.context.close();
    }
  },
);

chat(
  'should keep the last lines for a late joiner when nobody is left in the room',
  async ({ browser, link }) => {
    const ann = await visit(browser, link);
    await ann.page.waitForFunction(() => window.matinee?.stats().isOriginConnected);
    await say(ann.page, 'Anybody here?');
    await ann.page.getByTestId('chat-line').filter({ hasText: 'Anybody here?' }).waitFor();
    await ann.context.close();
    const ben = await visit(browser, link);
    await ben.page.getByTestId('chat-line').filter({ hasText: 'Anybody here?' }).waitFor();
    await ben.context.close();
  },
);

chat.run();

const film = suite<Room & { ann: Visitor; ben: Visitor }>('chat that belongs to the film');

film.before(async (context) => {
  Object.assign(context, await room);
  const { browser, link } = context;
  // The film stands still, so that its moments are those that the test goes to.
  [context.ann, context.ben] = await Promise.all([
    visit(browser, link, { rate: 0 }),
    visit(browser, link, { rate: 0 }),
  ]);
  for (const { page } of [context.ann, context.ben]) await untilMembers(page, 1);
});

film.after(async ({ browser, server, ann, ben }) => {
  await browser.close();
  await server.stop();
  assert.equal([...ann.errors, ...ben.errors], []);
});

film('should have answers, reactions, moments, names and links', async ({ ann, ben }) => {
  await rename(ann.page, 'Ann');
  await rename(ben.page, 'Ben');

  // Who types is seen at the other's, and no more once the line is there.
  await ann.page.getByTestId('chat-input').pressSequentially('Look, @be');
  await ben.page.getByTestId('typing').filter({ hasText: 'Ann is typing' }).waitFor();
  await ann.page.getByTestId('mentions').getByText('Ben').waitFor();
  // At once, or who types on has the rest where the caret was.
  assert.equal(await pressTab(ann.page), ['Look, @Ben ', 'Look, @Ben '.length]);
  await ann.page.keyboard.type('https://example.org/rabbit.');
  await ann.page.keyboard.press('Enter');
  const look = line(ben.page, 'Look, @Ben https://example.org/rabbit.');
  await look.waitFor();
  await ben.page.getByTestId('typing').filter({ hasText: /^$/ }).waitFor({ state: 'attached' });
  assert.match((await look.getAttribute('class')) ?? '', /isMeant/);
  const address = look.getByRole('link');
  assert.equal(await address.evaluate(({ href, target, rel }: HTMLAnchorElement) => [href, target, rel]), [
    'https://example.org/rabbit',
    '_blank',
    'noopener noreferrer nofollow',
  ]);

  // A moment in the film: said by one, gone to by the other.
  await seek(ann.page, 7);
  await ann.page.getByTestId('add-moment').click();
  await ann.page.getByTestId('draft-moment').filter({ hasText: 'at 0:07' }).waitFor();
  await say(ann.page, 'this leap');
  await line(ben.page, 'this leap').getByTestId('moment').filter({ hasText: 'at 0:07' }).click();
  await ben.page.waitForFunction(() => document.querySelector('video')?.currentTime === 7);
  // The timeline has it too.
  await ben.page.getByRole('button', { name: '0:07, Ann: this leap' }).waitFor({ state: 'attached' });

  // An answer, by the keyboard alone.
  const log = ben.page.getByTestId('chat-log');
  await log.focus();
  await ben.page.keyboard.press('ArrowUp');
  const answer = line(ben.page, 'this leap').getByTestId('reply');
  await answer.focus();
  await ben.page.keyboard.press('Enter');
  await ben.page.getByTestId('replying').filter({ hasText: 'Ann' }).waitFor();
  await ben.page.keyboard.type('it flies');
  await ben.page.keyboard.press('Enter');
  const flies = line(ann.page, 'it flies');
  await flies
    .getByTestId('quote')
    .filter({ hasText: /Ann.*this leap/s })
    .waitFor();

  // A reaction to that line, counted at both ends, and taken back.
  await flies.hover();
  await flies.getByTestId('line-actions').getByRole('button', { name: '👏' }).click();
  const counted = line(ben.page, 'it flies').getByTestId('reaction');
  await counted.filter({ hasText: /👏\s*1/ }).click();
  await flies
    .getByTestId('reaction')
    .filter({ hasText: /👏\s*2/ })
    .click();
  await counted.filter({ hasText: /👏\s*1/ }).waitFor();

  // One over the picture, which says in words who it is from.
  await ann.page.getByTestId('cheer').nth(1).click();
  await ben.page.getByTestId('floating').filter({ hasText: '❤️' }).waitFor();
  await ben.page.getByTestId('cheered').filter({ hasText: '❤️ from Ann' }).waitFor({ state: 'attached' });
  await ben.page.getByTestId('floating').waitFor({ state: 'detached' });
});

film('should show what a stranger types as text, and say how much is too much', async ({ ann, ben }) => {
  const requested: string[] = [];
  ben.page.on('request', (request) => requested.push(request.url()));
  const attack = '<img src="https://evil.example/x.png" onerror="window.hacked = true"> javascript:alert(1)';
  await rename(ann.page, '<b>Ann</b>\u202E');
  await say(ann.page, attack);
  const shown = line(ben.page, attack);
  await shown.filter({ hasText: '<b>Ann</b>' }).waitFor();
  assert.is(await shown.locator('img, b').count(), 0);
  assert.equal(await shown.getByRole('link').evaluateAll((all) => all.map((a) => a.getAttribute('href'))), [
    'https://evil.example/x.png',
  ]);
  assert.is(await ben.page.evaluate(() => 'hacked' in window), false);
  assert.equal(
    requested.filter((url) => url.includes('evil.example')),
    [],
    'nothing is fetched for a link',
  );

  await paste(ann.page, 'x'.repeat(2_001));
  await ann.page.getByTestId('composer-hint').filter({ hasText: '2,001 characters' }).waitFor();
  assert.is(await ann.page.getByTestId('chat-input').inputValue(), '');
  await paste(ann.page, 'x'.repeat(2_000));
  await ann.page.getByTestId('composer-hint').filter({ hasText: '0 characters left' }).waitFor();
});

film('should say what is new to who looked away', async ({ ann, ben }) => {
  for (let i = 1; i <= 30; i++) await say(ann.page, `${i}\n\nof thirty`);
  await line(ben.page, '30').waitFor();
  await ben.page.getByTestId('chat-log').evaluate((log) => {
    log.scrollTop = 0;
  });
  await ben.page.getByTestId('jump-to-newest').filter({ hasText: 'Newest' }).waitFor();
  await say(ann.page, 'one more');
  await ben.page.waitForFunction(() => document.title.startsWith('(1) '));
  await ben.page.getByTestId('jump-to-newest').filter({ hasText: '1 new message' }).click();
  await ben.page.getByTestId('jump-to-newest').waitFor({ state: 'detached' });
  await ben.page.waitForFunction(() => !document.title.startsWith('('));
  await ben.page
    .locator('[data-testid=unread-from] + [data-testid=chat-line]')
    .filter({ hasText: 'one more' })
    .waitFor();
});

film.run();

function line(page: Page, text: string): Locator {
  return page.getByTestId('chat-line').filter({ hasText: text });
}

async function rename(page: Page, name: string): Promise<void> {
  const field = page.getByTestId('name-input');
  await field.fill(name);
  await field.press('Enter');
}

/** The text and the caret that stand in the same moment in which Tab is pressed. */
function pressTab(page: Page): Promise<[text: string, caret: number]> {
  return page.getByTestId('chat-input').evaluate((field: HTMLTextAreaElement) => {
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Tab', bubbles: true, cancelable: true }));
    return [field.value, field.selectionStart];
  });
}

/** What a person's paste does: asks first, and puts the text in where nobody minds. */
async function paste(page: Page, text: string): Promise<void> {
  await page.getByTestId('chat-input').evaluate((field: HTMLTextAreaElement, pasted) => {
    field.focus();
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', pasted);
    const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
    if (field.dispatchEvent(event)) document.execCommand('insertText', false, pasted);
  }, text);
}

/**
 * Says a line until it is on every page within a second; throws where that never happens. A busy machine holds up a line or
 * two, a room that is slow by itself holds up every one.
 */
async function sayInTime(from: Page, text: string, everyone: Page[]): Promise<void> {
  for (let tries = 1; ; tries++) {
    const line = `${text} ${tries}`;
    await say(from, line);
    const arrivals = everyone.map((page) =>
      page.getByTestId('chat-line').filter({ hasText: line }).waitFor({ timeout: 1_000 }),
    );
    const late = (await Promise.allSettled(arrivals)).find(({ status }) => status === 'rejected');
    if (!late) return;
    if (tries === 5) throw new Error('five lines in a row took more than a second');
  }
}
