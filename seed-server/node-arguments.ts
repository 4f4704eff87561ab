/** Node's own arguments for a program of ours: a source is run by tsx; what is built as it is, its stack traces naming the sources. */
export function nodeArguments(program: string): string[] {
  return program.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : ['--enable-source-maps'];
}
