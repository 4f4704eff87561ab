/**
 * Copies a text; resolves with whether that worked. On plain-http addresses browsers withhold the clipboard,
 * and copying what is selected in a field is the way that is left.
 */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyFromField(text);
  }
}

function copyFromField(text: string): boolean {
  const { activeElement } = document;
  const field = document.createElement('textarea');
  field.className = 'visually-hidden';
  field.readOnly = true;
  field.value = text;
  document.body.append(field);
  field.select();
  const didCopy = document.execCommand('copy');
  field.remove();
  // The selection took the focus away from the button.
  if (activeElement instanceof HTMLElement) activeElement.focus();
  return didCopy;
}
