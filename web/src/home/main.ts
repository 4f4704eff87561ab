import '../theme.css';
import { mount } from 'svelte';
import { chosenLanguage, speak } from '../language.ts';
import Home from './Home.svelte';
import { prepareHosting } from './host-worker.ts';

const language = chosenLanguage();
// English is here already.
if (language !== 'en') await speak(language);
mount(Home, { target: document.body });
prepareHosting();
