import type { Plugin } from 'vite';

/**
 * Has a page's built HTML run one of its modules, which has a file of its own (page-chunks.ts), before all others are here: scripts of
 * modules run in their order, each once all that it imports has come, and Vite makes one of all that stand in the HTML. Both are absolute paths.
 */
export function earlyScript(page: string, module: string): Plugin {
  return {
    name: 'matinee:early-script',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(_, { filename, bundle = {} }) {
        if (filename !== page) return [];
        const built = Object.values(bundle).find(
          (file) => file.type === 'chunk' && file.moduleIds.join() === module,
        );
        if (!built) throw new Error(`The build has no file of its own for ${module}.`);
        const attrs = { type: 'module', crossorigin: true, src: `/${built.fileName}` };
        return [{ tag: 'script', attrs, injectTo: 'head-prepend' }];
      },
    },
  };
}
