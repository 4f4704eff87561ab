import { unwatchFile, watchFile } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { StartError } from './start-error.ts';

/** How often the files are looked at. Polling sees what is behind symbolic links too, as those of certbot and Kubernetes. */
const LOOK_EVERY_MS = 5000;

/** Files (PEM) of a certificate with its chain, and of its key. */
export interface CertificateFiles {
  certFile: string;
  keyFile: string;
}

/** Reads them. @throws StartError where they cannot be read, or are no certificate and its key. */
export async function readCertificate({
  certFile,
  keyFile,
}: CertificateFiles): Promise<SecureContextOptions & { cert: Buffer; key: Buffer }> {
  try {
    const [cert, key] = await Promise.all([readFile(certFile), readFile(keyFile)]);
    createSecureContext({ cert, key });
    return { cert, key };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `TLS_CERT and TLS_KEY must be the files of a certificate and its key (PEM); ${certFile} and ${keyFile} are not: ${why}.`,
      { cause: error },
    );
  }
}

/**
 * Serves new connections with what is in the files, whenever that changes. What is half-written or wrong is told to `log`
 * and changes nothing. Returns the end of it.
 */
export function followCertificate(
  files: CertificateFiles,
  server: Pick<Server, 'setSecureContext'>,
  log: { info(message: string): void; warn(details: object, message: string): void },
  lookEveryMs = LOOK_EVERY_MS,
): () => void {
  const renew = (): void => {
    readCertificate(files).then(
      (certificate) => {
        server.setSecureContext(certificate);
        log.info('the certificate was read again');
      },
      (err) => log.warn({ err }, 'the new certificate cannot be used'),
    );
  };
  const paths = [files.certFile, files.keyFile];
  for (const path of paths) watchFile(path, { interval: lookEveryMs, persistent: false }, renew);
  return () => {
    for (const path of paths) unwatchFile(path, renew);
  };
}
