import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CertificateFiles } from '../../seed-server/certificate.ts';
import { runProgram } from './run-program.ts';

/** Makes a key and a certificate for localhost that it signs itself, in this folder, with this name in its subject. */
export async function makeCertificate(folder: string, name: string): Promise<CertificateFiles> {
  await mkdir(folder, { recursive: true });
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') };
  const key = [
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    files.keyFile,
  ];
  const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await runProgram('openssl', ['req', '-x509', '-days', '2', ...key, ...subject, '-out', files.certFile]);
  return files;
}
