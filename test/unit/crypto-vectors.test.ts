import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Bytes, concat, toHex, utf8 } from '../../peer/bytes.ts';
import type { Crypto } from '../../peer/crypto/crypto.ts';
import { nobleCrypto } from '../../peer/crypto/noble-crypto.ts';
import { nobleEd25519 } from '../../peer/crypto/noble-ed25519.ts';
import { webCrypto } from '../../peer/crypto/web-crypto.ts';
import { webEd25519 } from '../../peer/crypto/web-ed25519.ts';

const { subtle } = globalThis.crypto;

function bytesOf(hex: string): Bytes {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

/** Each implementation, with a random source that the caller chooses. */
const IMPLEMENTATIONS: [string, (fill: (into: Bytes) => unknown) => Crypto][] = [
  ['web', (fill) => webCrypto(subtle, fill, webEd25519(subtle, fill))],
  ['noble', (fill) => nobleCrypto(fill, nobleEd25519(fill))],
];

const SP800_38A_COUNTER = 'f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff';
const SP800_38A_PLAINTEXT = [
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51',
  '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710',
].join('');

/** NIST SP 800-38A, appendix F.5: each serves for encryption (F.5.1, .3, .5) and decryption (F.5.2, .4, .6). */
const SP800_38A = [
  {
    name: 'CTR-AES128 (F.5.1, F.5.2)',
    key: '2b7e151628aed2a6abf7158809cf4f3c',
    ciphertext: [
      '874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff',
      '5ae4df3edbd5d35e5b4f09020db03eab1e031dda2fbe03d1792170a0f3009cee',
    ].join(''),
  },
  {
    name: 'CTR-AES192 (F.5.3, F.5.4)',
    key: '8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b',
    ciphertext: [
      '1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94',
      '1e36b26bd1ebc670d1bd1d665620abf74f78a7f6d29809585a97daec58c6b050',
    ].join(''),
  },
  {
    name: 'CTR-AES256 (F.5.5, F.5.6)',
    key: '603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4',
    ciphertext: [
      '601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5',
      '2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6',
    ].join(''),
  },
];

/** RFC 3686, section 6, by number; `nonceAndIv` is followed by the counter 00000001, the plaintexts are below. */
const RFC_3686 = [
  {
    key: 'ae6852f8121067cc4bf7a5765577f39e',
    nonceAndIv: '000000300000000000000000',
    ciphertext: 'e4095d4fb7a7b3792d6175a3261311b8',
  },
  {
    key: '7e24067817fae0d743d6ce1f32539163',
    nonceAndIv: '006cb6dbc0543b59da48d90b',
    ciphertext: '5104a106168a72d9790d41ee8edad388eb2e1efc46da57c8fce630df9141be28',
  },
  {
    key: '7691be035e5020a8ac6e618529f9a0dc',
    nonceAndIv: '00e0017b27777f3f4a1786f0',
    ciphertext: 'c1cf48a89f2ffdd9cf4652e9efdb72d74540a42bde6d7836d59a5ceaaef3105325b2072f',
  },
  {
    key: '16af5b145fc9f579c175f93e3bfb0eed863d06ccfdb78515',
    nonceAndIv: '0000004836733c147d6d93cb',
    ciphertext: '4b55384fe259c9c84e7935a003cbe928',
  },
  {
    key: '7c5cb2401b3dc33c19e7340819e0f69c678c3db8e6f6a91a',
    nonceAndIv: '0096b03b020c6eadc2cb500d',
    ciphertext: '453243fc609b23327edfaafa7131cd9f8490701c5ad4a79cfc1fe0ff42f4fb00',
  },
  {
    key: '02bf391ee8ecb159b959617b0965279bf59b60a786d3e0fe',
    nonceAndIv: '0007bdfd5cbd60278dcc0912',
    ciphertext: '96893fc55e5c722f540b7dd1ddf7e758d288bc95c69165884536c811662f2188abee0935',
  },
  {
    key: '776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c104',
    nonceAndIv: '00000060db5672c97aa8f0b2',
    ciphertext: '145ad01dbf824ec7560863dc71e3e0c0',
  },
  {
    key: 'f6d66d6bd52d59bb0796365879eff886c66dd51a5b6a99744b50590c87a23884',
    nonceAndIv: '00faac24c1585ef15a43d875',
    ciphertext: 'f05e231b3894612c49ee000b804eb2a9b8306b508f839d6a5530831d9344af1c',
  },
  {
    key: 'ff7a617ce69148e4f1726e2f43581de2aa62d9f805532edff1eed687fb54153d',
    nonceAndIv: '001cc5b751a51d70a1c11148',
    ciphertext: 'eb6c52821d0bbbf7ce7594462aca4faab407df866569fd07f48cc0b583d6071f1ec0e6b8',
  },
];

/** RFC 3686 encrypts one text where it has one block, and the bytes 0, 1, 2 and so on where it has more. */
function rfc3686Plaintext(lengthBytes: number): Bytes {
  return lengthBytes === 16
    ? utf8('Single block msg')
    : Uint8Array.from({ length: lengthBytes }, (_, i) => i);
}

/** The bytes from `first` to `last`, which RFC 5869 counts up in its second test case. */
function countUp(first: number, last: number): Bytes {
  return Uint8Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

/** RFC 5869, appendix A.1 to A.3. */
const RFC_5869 = [
  {
    secret: new Uint8Array(22).fill(0x0b),
    salt: countUp(0x00, 0x0c),
    info: countUp(0xf0, 0xf9),
    output: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
  },
  {
    secret: countUp(0x00, 0x4f),
    salt: countUp(0x60, 0xaf),
    info: countUp(0xb0, 0xff),
    output: [
      'b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271',
      'cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87',
    ].join(''),
  },
  {
    secret: new Uint8Array(22).fill(0x0b),
    salt: new Uint8Array(0),
    info: new Uint8Array(0),
    output: '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
  },
];

/** FIPS 180-4 examples ("abc", 56 bytes, a million times "a") and the empty text. */
const SHA256 = [
  { data: utf8(''), hash: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
  { data: utf8('abc'), hash: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad' },
  {
    data: utf8('abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq'),
    hash: '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  },
  {
    data: utf8('a'.repeat(1_000_000)),
    hash: 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0',
  },
];

/** RFC 8032, section 7.1. */
const RFC_8032 = [
  {
    name: 'TEST 1',
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature: [
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155',
      '5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    ].join(''),
  },
  {
    name: 'TEST 2',
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature: [
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da',
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    ].join(''),
  },
  {
    name: 'TEST 3',
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    publicKey: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature: [
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac',
      '18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
    ].join(''),
  },
  {
    name: 'TEST 1024',
    seed: 'f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5',
    publicKey: '278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e',
    message: [
      '08b8b2b733424243760fe426a4b54908632110a66c2f6591eabd3345e3e4eb98fa6e264bf09efe12ee50f8f54e9f77b1',
      'e355f6c50544e23fb1433ddf73be84d879de7c0046dc4996d9e773f4bc9efe5738829adb26c81b37c93a1b270b20329d',
      '658675fc6ea534e0810a4432826bf58c941efb65d57a338bbd2e26640f89ffbc1a858efcb8550ee3a5e1998bd177e93a',
      '7363c344fe6b199ee5d02e82d522c4feba15452f80288a821a579116ec6dad2b3b310da903401aa62100ab5d1a36553e',
      '06203b33890cc9b832f79ef80560ccb9a39ce767967ed628c6ad573cb116dbefefd75499da96bd68a8a97b928a8bbc10',
      '3b6621fcde2beca1231d206be6cd9ec7aff6f6c94fcd7204ed3455c68c83f4a41da4af2b74ef5c53f1d8ac70bdcb7ed1',
      '85ce81bd84359d44254d95629e9855a94a7c1958d1f8ada5d0532ed8a5aa3fb2d17ba70eb6248e594e1a2297acbbb39d',
      '502f1a8c6eb6f1ce22b3de1a1f40cc24554119a831a9aad6079cad88425de6bde1a9187ebb6092cf67bf2b13fd65f270',
      '88d78b7e883c8759d2c4f5c65adb7553878ad575f9fad878e80a0c9ba63bcbcc2732e69485bbc9c90bfbd62481d9089b',
      'eccf80cfe2df16a2cf65bd92dd597b0707e0917af48bbb75fed413d238f5555a7a569d80c3414a8d0859dc65a46128ba',
      'b27af87a71314f318c782b23ebfe808b82b0ce26401d2e22f04d83d1255dc51addd3b75a2b1ae0784504df543af8969b',
      'e3ea7082ff7fc9888c144da2af58429ec96031dbcad3dad9af0dcbaaaf268cb8fcffead94f3c7ca495e056a9b47acdb7',
      '51fb73e666c6c655ade8297297d07ad1ba5e43f1bca32301651339e22904cc8c42f58c30c04aafdb038dda0847dd988d',
      'cda6f3bfd15c4b4c4525004aa06eeff8ca61783aacec57fb3d1f92b0fe2fd1a85f6724517b65e614ad6808d6f6ee34df',
      'f7310fdc82aebfd904b01e1dc54b2927094b2db68d6f903b68401adebf5a7e08d78ff4ef5d63653a65040cf9bfd4aca7',
      '984a74d37145986780fc0b16ac451649de6188a7dbdf191f64b5fc5e2ab47b57f7f7276cd419c17a3ca8e1b939ae49e4',
      '88acba6b965610b5480109c8b17b80e1b7b750dfc7598d5d5011fd2dcc5600a32ef5b52a1ecc820e308aa342721aac09',
      '43bf6686b64b2579376504ccc493d97e6aed3fb0f9cd71a43dd497f01f17c0e2cb3797aa2a2f256656168e6c496afc5f',
      'b93246f6b1116398a346f1a641f3b041e989f7914f90cc2c7fff357876e506b50d334ba77c225bc307ba537152f3f161',
      '0e4eafe595f6d9d90d11faa933a15ef1369546868a7f3a45a96768d40fd9d03412c091c6315cf4fde7cb68606937380d',
      'b2eaaa707b4c4185c32eddcdd306705e4dc1ffc872eeee475a64dfac86aba41c0618983f8741c5ef68d3a101e8a3b8ca',
      'c60c905c15fc910840b94c00a0b9d0',
    ].join(''),
    signature: [
      '0aab4c900501b3e24d7cdf4663326a3a87df5e4843b2cbdb67cbf6e460fec350',
      'aa5371b1508f9f4528ecea23c436d94b5e8fcd4f681e30a6ac00a9704a188a03',
    ].join(''),
  },
  {
    name: 'TEST SHA(abc)',
    seed: '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    publicKey: 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    message: [
      'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a',
      '2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    ].join(''),
    signature: [
      'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589',
      '09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
    ].join(''),
  },
];

for (const [name, make] of IMPLEMENTATIONS) {
  const crypto = make((into) => globalThis.crypto.getRandomValues(into));

  const ctr = suite(`${name}: AES in counter mode`);

  for (const vector of SP800_38A) {
    ctr(`should encrypt as SP 800-38A has it for ${vector.name}`, async () => {
      const { aesCtr } = crypto;
      const encrypted = await aesCtr(
        bytesOf(vector.key),
        bytesOf(SP800_38A_COUNTER),
        bytesOf(SP800_38A_PLAINTEXT),
      );
      assert.is(toHex(encrypted), vector.ciphertext);
    });

    ctr(`should decrypt as SP 800-38A has it for ${vector.name}`, async () => {
      const { aesCtr } = crypto;
      const decrypted = await aesCtr(
        bytesOf(vector.key),
        bytesOf(SP800_38A_COUNTER),
        bytesOf(vector.ciphertext),
      );
      assert.is(toHex(decrypted), SP800_38A_PLAINTEXT);
    });
  }

  for (const [index, vector] of RFC_3686.entries()) {
    ctr(`should give test vector ${index + 1} of RFC 3686`, async () => {
      const ciphertext = bytesOf(vector.ciphertext);
      const block = concat(bytesOf(vector.nonceAndIv), Uint8Array.of(0, 0, 0, 1));
      const plaintext = rfc3686Plaintext(ciphertext.byteLength);
      assert.equal(await crypto.aesCtr(bytesOf(vector.key), block, plaintext), ciphertext);
      assert.equal(await crypto.aesCtr(bytesOf(vector.key), block, ciphertext), plaintext);
    });
  }

  ctr.run();

  const hkdf = suite(`${name}: HKDF-SHA256`);

  for (const [index, { secret, salt, info, output }] of RFC_5869.entries()) {
    hkdf(`should give test case ${index + 1} of RFC 5869`, async () => {
      assert.is(toHex(await crypto.hkdfSha256(secret, salt, info, output.length / 2)), output);
    });
  }

  hkdf.run();

  const sha256 = suite(`${name}: SHA-256`);

  for (const { data, hash } of SHA256) {
    sha256(`should give the known hash of ${data.byteLength} bytes`, async () => {
      assert.is(toHex(await crypto.sha256(data)), hash);
    });
  }

  sha256.run();

  const ed25519 = suite(`${name}: Ed25519`);

  for (const vector of RFC_8032) {
    ed25519(`should derive the public key of RFC 8032 ${vector.name} from its seed`, async () => {
      const seeded = make((into) => into.set(bytesOf(vector.seed)));
      const { publicKey, privateKey } = await seeded.generateSigningKey();
      assert.is(toHex(privateKey), vector.seed);
      assert.is(toHex(publicKey), vector.publicKey);
    });

    ed25519(`should sign as RFC 8032 ${vector.name} has it`, async () => {
      const signature = await crypto.sign(bytesOf(vector.seed), bytesOf(vector.message));
      assert.is(toHex(signature), vector.signature);
    });

    ed25519(`should accept the signature of RFC 8032 ${vector.name}`, async () => {
      const { publicKey, signature, message } = vector;
      assert.is(await crypto.verify(bytesOf(publicKey), bytesOf(signature), bytesOf(message)), true);
    });
  }

  ed25519.run();
}
