import '../theme.css';
import './room.css';
import { mount } from 'svelte';
import { chosenLanguage, speak } from '../language.ts';
import { chosenPeers } from '../member/peers-choice.ts';
import { openRoom } from './open-room.ts';
import Room from './Room.svelte';
import { rememberedName } from './remembered.ts';
import { RoomView } from './room-view.svelte.ts';

/** Others read it too, whatever they speak: it is the same in every language. */
const name = rememberedName() ?? `Guest ${100 + Math.floor(Math.random() * 900)}`;
const room = new RoomView(name, chosenPeers(location.search));
// Asked for before the page is drawn: the first picture waits for this, not for the chat.
void room.open(location.href, openRoom);
const language = chosenLanguage();
// English is here already.
if (language !== 'en') await speak(language);
mount(Room, { target: document.body, props: { room } });

// Friends learn at once that we left, rather than after a time-out.
addEventListener('pagehide', () => room.close());
// A page that comes back from the browser's memory has left the room.
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload();
});
// The whole link, pasted over one that was cut off, differs only behind the #, which alone loads nothing.
addEventListener('hashchange', () => location.reload());
