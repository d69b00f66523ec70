/** The URL prefix the UI is served under: always starts and ends with a slash. */
export function readBase(document: Document): string {
  const written = document.querySelector<HTMLMetaElement>('meta[name="upshot-base"]')?.content;
  const path = written || new URL(document.baseURI).pathname;
  const folder = path.slice(0, path.lastIndexOf("/") + 1);
  return written && !written.endsWith("/") ? `${written}/` : folder || "/";
}

export const base = readBase(document);
export const apiRoot = `${base}api/v1`;
