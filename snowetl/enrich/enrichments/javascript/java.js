// What scripts written for Nashorn use of Java: methods of strings and numbers, `Java.type`, `Packages`, `java.…`, for
// the classes listed in `CLASSES`. Evaluates to a function of BigDecimal that installs them and returns their names.
// Bytes are an Int8Array: signed, as in Java.
(function (BigDecimal) {
  'use strict';

  const Failure = TypeError;
  const {defineProperty} = Object;

  function methods(owner, table) {
    for (const [name, value] of Object.entries(table)) {
      defineProperty(owner, name, {value, writable: true, configurable: true, enumerable: false});
    }
  }

  class JavaError extends Error {
    constructor(name, message) {
      super(message);
      this.name = name;
    }
  }
  methods(Error.prototype, {
    getMessage() { return this.message; },
    getLocalizedMessage() { return this.message; },
    printStackTrace() {},
  });

  // --- bytes and charsets ---------------------------------------------------------------------------------------

  function utf8(text) {
    const bytes = [];
    for (let i = 0; i < text.length; i++) {
      let code = text.charCodeAt(i);
      if (code < 0x80) {
        bytes.push(code);
        continue;
      }
      if (code >= 0xd800 && code < 0xe000) {
        code = text.codePointAt(i);
        if (code < 0x10000) code = 63;
        else i++;
      }
      if (code < 0x80) bytes.push(code);
      else if (code < 0x800) bytes.push(0xc0 | code >> 6, 0x80 | code & 63);
      else if (code < 0x10000) bytes.push(0xe0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63);
      else bytes.push(0xf0 | code >> 18, 0x80 | code >> 12 & 63, 0x80 | code >> 6 & 63, 0x80 | code & 63);
    }
    return Int8Array.from(bytes);
  }

  function fromUtf8(bytes) {
    const pieces = [];
    for (let i = 0; i < bytes.length;) {
      const first = bytes[i++] & 255;
      if (first < 0x80) {
        pieces.push(String.fromCharCode(first));
        continue;
      }
      const more = first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 && first < 0xf0 ? 2 : first >= 0xc2 && first < 0xe0 ? 1 : 0;
      let code = first & (more === 3 ? 7 : more === 2 ? 15 : 31);
      let read = 0;
      while (read < more && i < bytes.length && (bytes[i] & 0xc0) === 0x80) {
        const next = bytes[i] & 63;
        if (read === 0 && (first === 0xe0 && next < 32 || first === 0xed && next > 31
          || first === 0xf0 && next < 16 || first === 0xf4 && next > 15)) break;
        code = code << 6 | next;
        i++;
        read++;
      }
      pieces.push(more > 0 && read === more ? String.fromCodePoint(code) : '\ufffd');
    }
    return pieces.join('');
  }

  function singleByte(limit) {
    return {
      encode: text => Int8Array.from(text, char => char.codePointAt(0) < limit ? char.codePointAt(0) : 63),
      decode: bytes => Array.from(bytes, byte => (byte & 255) < limit ? String.fromCharCode(byte & 255) : '\ufffd').join(''),
    };
  }

  const UTF_8 = {encode: utf8, decode: fromUtf8};
  const CODECS = {'utf-8': UTF_8, 'utf8': UTF_8, 'iso-8859-1': singleByte(256), 'latin1': singleByte(256),
    'us-ascii': singleByte(128), 'ascii': singleByte(128)};

  class Charset {
    constructor(name, codec) {
      this.label = name;
      this.codec = codec;
    }
    static forName(name) {
      const codec = CODECS[String(name).toLowerCase()];
      if (codec === undefined) throw new JavaError('UnsupportedCharsetException', String(name));
      return new Charset(String(name), codec);
    }
    static defaultCharset() { return StandardCharsets.UTF_8; }
    name() { return this.label; }
    toString() { return this.label; }
  }
  const StandardCharsets = {
    UTF_8: Charset.forName('UTF-8'),
    ISO_8859_1: Charset.forName('ISO-8859-1'),
    US_ASCII: Charset.forName('US-ASCII'),
  };

  function codecOf(charset) {
    if (charset === undefined || charset === null) return UTF_8;
    return charset instanceof Charset ? charset.codec : Charset.forName(charset).codec;
  }

  function bytesOf(given) {
    if (typeof given === 'string' || given instanceof String) return utf8(String(given));
    if (given instanceof Int8Array) return given;
    if (ArrayBuffer.isView(given) || Array.isArray(given)) return Int8Array.from(given);
    throw new Failure('bytes or a text are wanted, not ' + String(given));
  }

  function hex(bytes) {
    let text = '';
    for (const byte of bytes) text += (byte & 255).toString(16).padStart(2, '0');
    return text;
  }

  // --- digests --------------------------------------------------------------------------------------------------

  // Blocks of `size` bytes of the padded message, whose length in bits ends it in `field` bytes.
  function padded(bytes, size, field, littleEndian) {
    const length = Math.ceil((bytes.length + 1 + field) / size) * size;
    const view = new DataView(new ArrayBuffer(length));
    new Int8Array(view.buffer).set(bytes);
    view.setUint8(bytes.length, 0x80);
    const bits = bytes.length * 8;
    const high = Math.floor(bits / 4294967296);
    if (littleEndian) {
      view.setUint32(length - 8, bits >>> 0, true);
      view.setUint32(length - 4, high, true);
    } else {
      view.setUint32(length - 8, high);
      view.setUint32(length - 4, bits >>> 0);
    }
    return view;
  }

  function packed(words, littleEndian) {
    const view = new DataView(new ArrayBuffer(words.length * 4));
    words.forEach((word, i) => view.setInt32(i * 4, word, littleEndian));
    return new Int8Array(view.buffer);
  }

  const MD5_SINES = Int32Array.from({length: 64}, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 4294967296) | 0);
  const MD5_SHIFTS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

  function md5(bytes) {
    const view = padded(bytes, 64, 8, true);
    let a0 = 0x67452301, b0 = 0xefcdab89 | 0, c0 = 0x98badcfe | 0, d0 = 0x10325476;
    const m = new Int32Array(16);
    for (let at = 0; at < view.byteLength; at += 64) {
      for (let i = 0; i < 16; i++) m[i] = view.getInt32(at + i * 4, true);
      let a = a0, b = b0, c = c0, d = d0;
      for (let i = 0; i < 64; i++) {
        const round = i >> 4;
        let f, g;
        if (round === 0) { f = b & c | ~b & d; g = i; }
        else if (round === 1) { f = d & b | ~d & c; g = 5 * i + 1 & 15; }
        else if (round === 2) { f = b ^ c ^ d; g = 3 * i + 5 & 15; }
        else { f = c ^ (b | ~d); g = 7 * i & 15; }
        const sum = a + f + MD5_SINES[i] + m[g] | 0;
        const shift = MD5_SHIFTS[round * 4 + (i & 3)];
        a = d; d = c; c = b;
        b = b + (sum << shift | sum >>> 32 - shift) | 0;
      }
      a0 = a0 + a | 0; b0 = b0 + b | 0; c0 = c0 + c | 0; d0 = d0 + d | 0;
    }
    return packed([a0, b0, c0, d0], true);
  }

  function sha1(bytes) {
    const view = padded(bytes, 64, 8, false);
    let h0 = 0x67452301, h1 = 0xefcdab89 | 0, h2 = 0x98badcfe | 0, h3 = 0x10325476, h4 = 0xc3d2e1f0 | 0;
    const w = new Int32Array(80);
    for (let at = 0; at < view.byteLength; at += 64) {
      for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4);
      for (let i = 16; i < 80; i++) {
        const x = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];
        w[i] = x << 1 | x >>> 31;
      }
      let a = h0, b = h1, c = h2, d = h3, e = h4;
      for (let i = 0; i < 80; i++) {
        const f = i < 20 ? (b & c | ~b & d) + 0x5a827999 : i < 40 ? (b ^ c ^ d) + 0x6ed9eba1
          : i < 60 ? (b & c | b & d | c & d) + 0x8f1bbcdc : (b ^ c ^ d) + 0xca62c1d6;
        const next = (a << 5 | a >>> 27) + f + e + w[i] | 0;
        e = d; d = c; c = b << 30 | b >>> 2; b = a; a = next;
      }
      h0 = h0 + a | 0; h1 = h1 + b | 0; h2 = h2 + c | 0; h3 = h3 + d | 0; h4 = h4 + e | 0;
    }
    return packed([h0, h1, h2, h3, h4], false);
  }

  // The constants of SHA-2 are the first bits of the fractions of square and cube roots of primes.
  function primes(count) {
    const found = [];
    for (let n = 2; found.length < count; n++) if (found.every(prime => n % prime)) found.push(n);
    return found;
  }

  function rootBits(number, power) {
    const wanted = BigInt(number) << BigInt(64 * power);
    let low = 0n, high = 1n << 72n;
    while (low < high) {
      const middle = low + high + 1n >> 1n;
      if (middle ** BigInt(power) <= wanted) low = middle;
      else high = middle - 1n;
    }
    return low & 0xffffffffffffffffn;
  }

  let sha2Constants;
  function sha2() {
    if (sha2Constants === undefined) {
      const cubes = primes(80).map(prime => rootBits(prime, 3));
      const squares = primes(16).map(prime => rootBits(prime, 2));
      const high = numbers => Int32Array.from(numbers, number => Number(number >> 32n));
      const low = numbers => Int32Array.from(numbers, number => Number(number & 0xffffffffn));
      sha2Constants = {
        high: high(cubes), low: low(cubes),
        start: {'256': [high(squares.slice(0, 8))], '512': [high(squares.slice(0, 8)), low(squares.slice(0, 8))],
          '384': [high(squares.slice(8)), low(squares.slice(8))], '224': [low(squares.slice(8))]},
      };
    }
    return sha2Constants;
  }

  function sha256(bytes, kind = '256') {
    const {high: k, start} = sha2();
    const view = padded(bytes, 64, 8, false);
    const h = start[kind][0].slice();
    const w = new Int32Array(64);
    for (let at = 0; at < view.byteLength; at += 64) {
      for (let i = 0; i < 16; i++) w[i] = view.getInt32(at + i * 4);
      for (let i = 16; i < 64; i++) {
        const x = w[i - 15], y = w[i - 2];
        const s0 = (x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3;
        const s1 = (y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1 | 0;
      }
      let [a, b, c, d, e, f, g, z] = h;
      for (let i = 0; i < 64; i++) {
        const s1 = (e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7);
        const t1 = z + s1 + (e & f ^ ~e & g) + k[i] + w[i] | 0;
        const s0 = (a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10);
        const t2 = s0 + (a & b ^ a & c ^ b & c) | 0;
        z = g; g = f; f = e; e = d + t1 | 0; d = c; c = b; b = a; a = t1 + t2 | 0;
      }
      [a, b, c, d, e, f, g, z].forEach((value, i) => { h[i] += value; });
    }
    return packed(kind === '224' ? h.slice(0, 7) : h, false);
  }

  // 64-bit words as pairs of 32 bits: `xh` the high, `xl` the low one.
  function sha512(bytes, kind = '512') {
    const {high: kh, low: kl, start} = sha2();
    const view = padded(bytes, 128, 16, false);
    const hh = start[kind][0].slice(), hl = start[kind][1].slice();
    const wh = new Int32Array(80), wl = new Int32Array(80);
    for (let at = 0; at < view.byteLength; at += 128) {
      for (let i = 0; i < 16; i++) {
        wh[i] = view.getInt32(at + i * 8);
        wl[i] = view.getInt32(at + i * 8 + 4);
      }
      for (let i = 16; i < 80; i++) {
        const xh = wh[i - 15], xl = wl[i - 15], yh = wh[i - 2], yl = wl[i - 2];
        const s0h = (xh >>> 1 | xl << 31) ^ (xh >>> 8 | xl << 24) ^ xh >>> 7;
        const s0l = (xl >>> 1 | xh << 31) ^ (xl >>> 8 | xh << 24) ^ (xl >>> 7 | xh << 25);
        const s1h = (yh >>> 19 | yl << 13) ^ (yl >>> 29 | yh << 3) ^ yh >>> 6;
        const s1l = (yl >>> 19 | yh << 13) ^ (yh >>> 29 | yl << 3) ^ (yl >>> 6 | yh << 26);
        const low = (wl[i - 16] >>> 0) + (s0l >>> 0) + (wl[i - 7] >>> 0) + (s1l >>> 0);
        wl[i] = low | 0;
        wh[i] = wh[i - 16] + s0h + wh[i - 7] + s1h + Math.floor(low / 4294967296) | 0;
      }
      let [ah, bh, ch, dh, eh, fh, gh, zh] = hh;
      let [al, bl, cl, dl, el, fl, gl, zl] = hl;
      for (let i = 0; i < 80; i++) {
        const s1h = (eh >>> 14 | el << 18) ^ (eh >>> 18 | el << 14) ^ (el >>> 9 | eh << 23);
        const s1l = (el >>> 14 | eh << 18) ^ (el >>> 18 | eh << 14) ^ (eh >>> 9 | el << 23);
        const t1l = (zl >>> 0) + (s1l >>> 0) + ((el & fl ^ ~el & gl) >>> 0) + (kl[i] >>> 0) + (wl[i] >>> 0);
        const t1h = zh + s1h + (eh & fh ^ ~eh & gh) + kh[i] + wh[i] + Math.floor(t1l / 4294967296) | 0;
        const s0h = (ah >>> 28 | al << 4) ^ (al >>> 2 | ah << 30) ^ (al >>> 7 | ah << 25);
        const s0l = (al >>> 28 | ah << 4) ^ (ah >>> 2 | al << 30) ^ (ah >>> 7 | al << 25);
        const t2l = (s0l >>> 0) + ((al & bl ^ al & cl ^ bl & cl) >>> 0);
        const t2h = s0h + (ah & bh ^ ah & ch ^ bh & ch) + Math.floor(t2l / 4294967296) | 0;
        zh = gh; zl = gl; gh = fh; gl = fl; fh = eh; fl = el;
        const l = (dl >>> 0) + (t1l % 4294967296);
        eh = dh + t1h + Math.floor(l / 4294967296) | 0; el = l | 0;
        dh = ch; dl = cl; ch = bh; cl = bl; bh = ah; bl = al;
        const n = (t1l % 4294967296) + (t2l % 4294967296);
        ah = t1h + t2h + Math.floor(n / 4294967296) | 0; al = n | 0;
      }
      const highs = [ah, bh, ch, dh, eh, fh, gh, zh], lows = [al, bl, cl, dl, el, fl, gl, zl];
      for (let i = 0; i < 8; i++) {
        const l = (hl[i] >>> 0) + (lows[i] >>> 0);
        hh[i] = hh[i] + highs[i] + Math.floor(l / 4294967296) | 0;
        hl[i] = l | 0;
      }
    }
    const words = [];
    for (let i = 0; i < (kind === '384' ? 6 : 8); i++) words.push(hh[i], hl[i]);
    return packed(words, false);
  }

  const DIGESTS = {
    'MD5': md5,
    'SHA': sha1, 'SHA1': sha1, 'SHA-1': sha1,
    'SHA-224': bytes => sha256(bytes, '224'),
    'SHA-256': bytes => sha256(bytes),
    'SHA-384': bytes => sha512(bytes, '384'),
    'SHA-512': bytes => sha512(bytes),
  };
  const BLOCKS = {'SHA-384': 128, 'SHA-512': 128};

  function joined(parts) {
    let length = 0;
    for (const part of parts) length += part.length;
    const bytes = new Int8Array(length);
    let at = 0;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  class MessageDigest {
    #name; #digest; #parts = [];
    static getInstance(name) {
      const digest = DIGESTS[String(name).toUpperCase()];
      if (digest === undefined) throw new JavaError('NoSuchAlgorithmException', name + ' MessageDigest not available');
      const made = new MessageDigest();
      made.#name = String(name);
      made.#digest = digest;
      return made;
    }
    static isEqual(a, b) { return hex(bytesOf(a)) === hex(bytesOf(b)); }
    getAlgorithm() { return this.#name; }
    reset() { this.#parts = []; }
    update(given, offset, length) {
      const bytes = typeof given === 'number' ? Int8Array.of(given) : bytesOf(given);
      this.#parts.push(offset === undefined ? bytes : bytes.slice(offset, offset + length));
    }
    digest(given) {
      if (given !== undefined) this.update(given);
      const bytes = joined(this.#parts);
      this.#parts = [];
      return this.#digest(bytes);
    }
  }

  function hmac(name, key, message) {
    const digest = DIGESTS[name], size = BLOCKS[name] || 64;
    const block = new Int8Array(size);
    block.set(key.length > size ? digest(key) : key);
    const inner = digest(joined([block.map(byte => byte ^ 0x36), message]));
    return digest(joined([block.map(byte => byte ^ 0x5c), inner]));
  }

  class SecretKeySpec {
    constructor(key, algorithm) {
      this.key = bytesOf(key);
      this.algorithm = String(algorithm);
    }
    getEncoded() { return this.key; }
    getAlgorithm() { return this.algorithm; }
  }

  class Mac {
    #name; #key; #parts = [];
    static getInstance(name) {
      const found = /^HmacSHA(1|224|256|384|512)$|^Hmac(MD5)$/i.exec(String(name));
      if (found === null) throw new JavaError('NoSuchAlgorithmException', 'Algorithm ' + name + ' not available');
      const made = new Mac();
      made.#name = found[2] ? 'MD5' : 'SHA-' + found[1];
      return made;
    }
    init(key) { this.#key = key.getEncoded(); }
    update(given) { this.#parts.push(bytesOf(given)); }
    doFinal(given) {
      if (given !== undefined) this.update(given);
      if (this.#key === undefined) throw new JavaError('IllegalStateException', 'MAC not initialized');
      const bytes = joined(this.#parts);
      this.#parts = [];
      return hmac(this.#name, this.#key, bytes);
    }
  }

  const DigestUtils = {};
  for (const [prefix, name] of [['md5', 'MD5'], ['sha', 'SHA-1'], ['sha1', 'SHA-1'], ['sha256', 'SHA-256'],
    ['sha384', 'SHA-384'], ['sha512', 'SHA-512']]) {
    DigestUtils[prefix] = given => DIGESTS[name](bytesOf(given));
    DigestUtils[prefix + 'Hex'] = given => hex(DIGESTS[name](bytesOf(given)));
  }
  const Hex = {
    encodeHexString: given => hex(bytesOf(given)),
    encodeHex: given => hex(bytesOf(given)).split(''),
    decodeHex(given) {
      const text = typeof given === 'string' ? given : Array.from(given).join('');
      if (!/^([0-9a-fA-F]{2})*$/.test(text)) throw new JavaError('DecoderException', 'Illegal hexadecimal text');
      return Int8Array.from(text.match(/../g) || [], pair => parseInt(pair, 16));
    },
  };

  // --- base64, URLs ---------------------------------------------------------------------------------------------

  const STANDARD = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const URL_SAFE = STANDARD.slice(0, 62) + '-_';

  function toBase64(bytes, alphabet, padding) {
    let text = '';
    for (let i = 0; i < bytes.length; i += 3) {
      const left = bytes.length - i;
      const group = (bytes[i] & 255) << 16 | (left > 1 ? bytes[i + 1] & 255 : 0) << 8 | (left > 2 ? bytes[i + 2] & 255 : 0);
      text += alphabet[group >> 18] + alphabet[group >> 12 & 63]
        + (left > 1 ? alphabet[group >> 6 & 63] : padding) + (left > 2 ? alphabet[group & 63] : padding);
    }
    return text;
  }

  function fromBase64(given, alphabet) {
    const text = (typeof given === 'string' ? given : fromUtf8(bytesOf(given))).replace(/={1,2}$/, '');
    if (text.length % 4 === 1) throw new JavaError('IllegalArgumentException', 'Last unit does not have enough valid bits');
    const bytes = new Int8Array(Math.floor(text.length * 3 / 4));
    let bits = 0, held = 0, at = 0;
    for (const char of text) {
      const value = alphabet.indexOf(char);
      if (value < 0) throw new JavaError('IllegalArgumentException', 'Illegal base64 character ' + char.codePointAt(0).toString(16));
      held = held << 6 | value;
      bits += 6;
      if (bits >= 8) {
        bits -= 8;
        bytes[at++] = held >> bits & 255;
      }
    }
    return bytes;
  }

  function encoder(alphabet, padding) {
    return {
      encodeToString: given => toBase64(bytesOf(given), alphabet, padding),
      encode: given => utf8(toBase64(bytesOf(given), alphabet, padding)),
      withoutPadding: () => encoder(alphabet, ''),
    };
  }
  const Base64 = {
    getEncoder: () => encoder(STANDARD, '='),
    getUrlEncoder: () => encoder(URL_SAFE, '='),
    getDecoder: () => ({decode: given => fromBase64(given, STANDARD)}),
    getUrlDecoder: () => ({decode: given => fromBase64(given, URL_SAFE)}),
    getMimeDecoder: () => ({decode: given => fromBase64(String(given).replace(/[^A-Za-z0-9+/=]/g, ''), STANDARD)}),
  };
  const CodecBase64 = {
    encodeBase64String: given => toBase64(bytesOf(given), STANDARD, '='),
    encodeBase64URLSafeString: given => toBase64(bytesOf(given), URL_SAFE, ''),
    encodeBase64: given => utf8(toBase64(bytesOf(given), STANDARD, '=')),
    decodeBase64(given) {
      const text = typeof given === 'string' ? given : fromUtf8(bytesOf(given));
      const clean = text.replace(/=.*$/s, '').replace(/-/g, '+').replace(/_/g, '/').replace(/[^A-Za-z0-9+/]/g, '');
      return fromBase64(clean.length % 4 === 1 ? clean.slice(0, -1) : clean, STANDARD);
    },
  };

  const URLEncoder = {
    encode(text, charset) {
      let made = '';
      for (const char of String(text)) {
        if (/^[A-Za-z0-9.*_-]$/.test(char)) made += char;
        else if (char === ' ') made += '+';
        else for (const byte of codecOf(charset).encode(char)) made += '%' + (byte & 255).toString(16).toUpperCase().padStart(2, '0');
      }
      return made;
    },
  };
  const URLDecoder = {
    decode(text, charset) {
      return String(text).replace(/\+/g, ' ')
        .replace(/(?:%[0-9a-fA-F]{2})+|%/g, run => {
          if (run === '%') throw new JavaError('IllegalArgumentException', 'URLDecoder: Illegal hex characters in escape (%) pattern');
          return codecOf(charset).decode(Int8Array.from(run.match(/[^%]{2}/g), pair => parseInt(pair, 16)));
        });
    },
  };

  function unescaped(part) {
    return part === null ? null
      : part.replace(/(?:%[0-9a-fA-F]{2})+/g, run => fromUtf8(Int8Array.from(run.match(/[^%]{2}/g), pair => parseInt(pair, 16))));
  }

  class URI {
    #text; #parts;
    constructor(given) {
      const text = String(given);
      const wrong = /[\s"<>\\^`{|}]|%(?![0-9a-fA-F]{2})/.exec(text);
      if (wrong !== null) {
        throw new JavaError('URISyntaxException', 'Illegal character at index ' + wrong.index + ': ' + text);
      }
      const [, scheme, rest = '', fragment] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?([^#]*)(?:#(.*))?$/s.exec(text);
      const opaque = scheme !== undefined && !rest.startsWith('/');
      const [, authority, path = '', query] = opaque ? [] : /^(?:\/\/([^/?]*))?([^?]*)(?:\?(.*))?$/s.exec(rest);
      const [, user, host, port] = /^(?:(.*)@)?(\[[^\]]*\]|[^:]*)(?::(\d*))?$/s.exec(authority || '') || [];
      this.#text = text;
      const or = (value, other) => value === undefined ? other : value;
      this.#parts = {scheme: or(scheme, null), part: opaque ? rest : null, authority: authority || null,
        user: or(user, null), host: host || null, port: port ? Number(port) : -1, path: opaque ? null : path,
        query: or(query, null), fragment: or(fragment, null)};
      if (opaque && rest === '') throw new JavaError('URISyntaxException', 'Expected scheme-specific part: ' + text);
    }
    static create(text) { return new URI(text); }
    getScheme() { return this.#parts.scheme; }
    getAuthority() { return unescaped(this.#parts.authority); }
    getRawAuthority() { return this.#parts.authority; }
    getUserInfo() { return unescaped(this.#parts.user); }
    getRawUserInfo() { return this.#parts.user; }
    getHost() { return this.#parts.host; }
    getPort() { return this.#parts.port; }
    getPath() { return unescaped(this.#parts.path); }
    getRawPath() { return this.#parts.path; }
    getQuery() { return unescaped(this.#parts.query); }
    getRawQuery() { return this.#parts.query; }
    getFragment() { return unescaped(this.#parts.fragment); }
    getRawFragment() { return this.#parts.fragment; }
    isAbsolute() { return this.#parts.scheme !== null; }
    isOpaque() { return this.#parts.part !== null; }
    equals(other) { return other instanceof URI && other.#text === this.#text; }
    toASCIIString() { return this.#text; }
    toString() { return this.#text; }
    toJSON() { return this.#text; }
  }

  // --- java.util ------------------------------------------------------------------------------------------------

  class UUID {
    #text;
    constructor(text) { this.#text = text; }
    static #made(bytes, version) {
      bytes[6] = bytes[6] & 15 | version << 4;
      bytes[8] = bytes[8] & 63 | 128;
      return new UUID(hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.*)$/, '$1-$2-$3-$4-$5'));
    }
    static randomUUID() { return UUID.#made(Int8Array.from({length: 16}, () => Math.floor(Math.random() * 256)), 4); }
    static nameUUIDFromBytes(bytes) { return UUID.#made(md5(bytesOf(bytes)), 3); }
    static fromString(text) {
      const groups = String(text).split('-');
      if (groups.length !== 5 || !groups.every(group => /^[0-9a-fA-F]+$/.test(group))) {
        throw new JavaError('IllegalArgumentException', 'Invalid UUID string: ' + text);
      }
      const widths = [8, 4, 4, 4, 12];
      return new UUID(groups.map((group, i) => group.toLowerCase().padStart(widths[i], '0').slice(-widths[i])).join('-'));
    }
    version() { return parseInt(this.#text[14], 16); }
    equals(other) { return other instanceof UUID && other.#text === this.#text; }
    toString() { return this.#text; }
    toJSON() { return this.#text; }
  }

  function same(a, b) {
    return a === b || a !== null && a !== undefined && typeof a.equals === 'function' && a.equals(b) === true;
  }

  class ArrayList extends Array {
    static get [Symbol.species]() { return Array; }
    constructor(given) {
      super();
      if (given !== undefined && typeof given !== 'number') this.addAll(given);
    }
    add(...given) {
      if (given.length === 2) this.splice(given[0], 0, given[1]);
      else this.push(given[0]);
      return true;
    }
    addAll(items) {
      for (const item of items) this.push(item);
      return true;
    }
    get(at) {
      if (!(at >= 0 && at < this.length)) throw new JavaError('IndexOutOfBoundsException', 'Index ' + at + ' out of bounds for length ' + this.length);
      return this[at];
    }
    set(at, item) {
      const before = this.get(at);
      this[at] = item;
      return before;
    }
    remove(which) {
      const at = typeof which === 'number' ? which : this.findIndex(item => same(item, which));
      const removed = at >= 0 && at < this.length ? this.splice(at, 1)[0] : undefined;
      return typeof which === 'number' ? removed : at >= 0;
    }
    size() { return this.length; }
    isEmpty() { return this.length === 0; }
    contains(item) { return this.some(one => same(one, item)); }
    clear() { this.length = 0; }
    toArray() { return Array.from(this); }
  }

  class HashMap extends Map {
    constructor(given) {
      super();
      if (given !== undefined && typeof given !== 'number') this.putAll(given);
    }
    size() { return this.keySet().length; }
    isEmpty() { return this.size() === 0; }
    get(key) {
      const value = super.get(key);
      return value === undefined ? null : value;
    }
    put(key, value) {
      const before = this.get(key);
      super.set(key, value);
      return before;
    }
    putIfAbsent(key, value) {
      const before = this.get(key);
      if (before === null) super.set(key, value);
      return before;
    }
    putAll(other) {
      const entries = other instanceof Map ? other.entries() : Object.entries(other);
      for (const [key, value] of entries) super.set(key, value);
    }
    getOrDefault(key, other) { return super.has(key) ? this.get(key) : other; }
    containsKey(key) { return super.has(key); }
    containsValue(value) { return this.values().contains(value); }
    remove(key) {
      const before = this.get(key);
      super.delete(key);
      return before;
    }
    keySet() { return new ArrayList(Array.from(super.keys())); }
    values() { return new ArrayList(Array.from(super.values())); }
    entrySet() {
      return new ArrayList(Array.from(super.entries(), ([key, value]) => ({key, value, getKey: () => key, getValue: () => value})));
    }
    toJSON() { return Object.fromEntries(super.entries()); }
  }

  class HashSet extends Set {
    constructor(given) {
      super();
      if (given !== undefined && typeof given !== 'number') this.addAll(given);
    }
    size() { return Array.from(super.values()).length; }
    isEmpty() { return this.size() === 0; }
    add(item) {
      const isNew = !super.has(item);
      super.add(item);
      return isNew;
    }
    addAll(items) { for (const item of items) super.add(item); }
    contains(item) { return super.has(item); }
    remove(item) { return super.delete(item); }
    toArray() { return Array.from(super.values()); }
    toJSON() { return this.toArray(); }
  }

  const Arrays = {asList: (...items) => new ArrayList(items.length === 1 && Array.isArray(items[0]) ? items[0] : items)};
  const Collections = {emptyList: () => new ArrayList(), emptyMap: () => new HashMap(), singletonList: item => new ArrayList([item])};

  // --- java.lang, java.math -------------------------------------------------------------------------------------

  class BigInteger {
    #value;
    constructor(given, more) {
      if (given !== null && typeof given === 'object' && !(given instanceof String)) this.#value = BigInteger.#of(given, true);
      else if (typeof given === 'number' && more !== undefined && typeof more === 'object') {
        this.#value = BigInteger.#of(more, false) * BigInt(given === 0 ? 0 : Math.sign(given));
      } else this.#value = BigInteger.#read(String(given), more === undefined ? 10 : more);
    }
    static #of(bytes, signed) {
      const digits = hex(bytesOf(bytes));
      const value = BigInt('0x' + (digits || '0'));
      return signed ? BigInt.asIntN(digits.length * 4, value) : value;
    }
    static #read(text, radix) {
      if (!/^[+-]?[0-9a-zA-Z]+$/.test(text) || text.length > 10000) throw new JavaError('NumberFormatException', 'For input string: "' + text + '"');
      let value = 0n;
      for (const char of text.replace(/^[+-]/, '')) {
        const digit = parseInt(char, radix);
        if (Number.isNaN(digit)) throw new JavaError('NumberFormatException', 'For input string: "' + text + '"');
        value = value * BigInt(radix) + BigInt(digit);
      }
      return text.startsWith('-') ? -value : value;
    }
    static valueOf(number) { return new BigInteger(String(Math.trunc(number))); }
    #result(value) { return new BigInteger(String(value)); }
    add(other) { return this.#result(this.#value + other.#value); }
    subtract(other) { return this.#result(this.#value - other.#value); }
    multiply(other) { return this.#result(this.#value * other.#value); }
    divide(other) { return this.#result(this.#value / other.#value); }
    mod(other) { return this.#result((this.#value % other.#value + other.#value) % other.#value); }
    signum() { return this.#value < 0n ? -1 : this.#value > 0n ? 1 : 0; }
    compareTo(other) { return this.#value < other.#value ? -1 : this.#value > other.#value ? 1 : 0; }
    equals(other) { return other instanceof BigInteger && other.#value === this.#value; }
    intValue() { return Number(BigInt.asIntN(32, this.#value)); }
    longValue() { return Number(BigInt.asIntN(64, this.#value)); }
    doubleValue() { return Number(this.#value); }
    toString(radix) { return this.#value.toString(radix); }
    valueOf() { return Number(this.#value); }
    toJSON() { return JSON.rawJSON(this.#value.toString()); }
  }

  function parseInteger(text, radix = 10) {
    const digits = String(text);
    const value = /^[+-]?[0-9a-zA-Z]+$/.test(digits) ? Array.from(digits.replace(/^[+-]/, '')).reduce(
      (sum, digit) => sum * radix + (parseInt(digit, radix) >= 0 ? parseInt(digit, radix) : NaN), 0) : NaN;
    const made = digits[0] === '-' ? -value : value;
    if (Number.isNaN(made)) throw new JavaError('NumberFormatException', 'For input string: "' + digits + '"');
    return made;
  }
  function parseDecimal(text) {
    const made = String(text).trim() === '' ? NaN : Number(text);
    if (Number.isNaN(made)) throw new JavaError('NumberFormatException', 'For input string: "' + text + '"');
    return made;
  }
  const Integer = {
    MAX_VALUE: 2147483647, MIN_VALUE: -2147483648,
    parseInt: parseInteger, valueOf: value => typeof value === 'number' ? Math.trunc(value) : parseInteger(value),
    toString: (value, radix) => Math.trunc(value).toString(radix), toHexString: value => (value >>> 0).toString(16),
    compare: (a, b) => a < b ? -1 : a > b ? 1 : 0,
  };
  const Long = {...Integer, MAX_VALUE: 9223372036854775807, MIN_VALUE: -9223372036854775808, parseLong: parseInteger};
  delete Long.parseInt;
  delete Long.toHexString;
  const Double = {parseDouble: parseDecimal, valueOf: parseDecimal, toString: value => String(value), isNaN: value => Number.isNaN(value)};
  const Float = {parseFloat: parseDecimal, valueOf: parseDecimal, toString: value => String(value)};
  const JavaBoolean = {TRUE: true, FALSE: false, parseBoolean: text => String(text).toLowerCase() === 'true', valueOf: value => String(value).toLowerCase() === 'true'};
  const System = {
    currentTimeMillis: () => Date.now(), nanoTime: () => Date.now() * 1e6, lineSeparator: () => '\n',
    out: {println: globalThis.print, print: globalThis.print}, err: {println: globalThis.print, print: globalThis.print},
  };

  // printf, as far as scripts use it: %s %d %x %X %f %n %% with flags 0 and -, width and precision.
  function format(pattern, ...given) {
    let next = 0;
    return String(pattern).replace(/%(?:(\d+)\$)?([0-]?)(\d{0,4})(?:\.(\d{1,2}))?([sdxXfn%c])/g, (_, place, flag, width, precision, kind) => {
      if (kind === 'n') return '\n';
      if (kind === '%') return '%';
      const value = given[place ? place - 1 : next++];
      let made = String(value);
      if (kind === 'd') made = String(Math.trunc(Number(value)));
      else if (kind === 'f') made = Number(value).toFixed(precision === undefined ? 6 : Number(precision));
      else if (kind === 'x' || kind === 'X') made = (value < 0 && value >= -128 && width === '2' ? value & 255 : value < 0 ? value >>> 0 : Number(value)).toString(16);
      else if (precision !== undefined) made = made.slice(0, Number(precision));
      if (kind === 'X') made = made.toUpperCase();
      return flag === '-' ? made.padEnd(Number(width)) : made.padStart(Number(width), flag === '0' ? '0' : ' ');
    });
  }

  // `new java.lang.String(bytes, "UTF-8")` is an object around the text, since `new` cannot give a bare text.
  function JavaString(given, charset) {
    const text = given === undefined ? '' : ArrayBuffer.isView(given) ? codecOf(charset).decode(given)
      : Array.isArray(given) ? given.join('') : String(given);
    return new.target === undefined ? text : new String(text);
  }
  Object.assign(JavaString, {
    valueOf: value => Array.isArray(value) ? value.join('') : String(value),
    join: (separator, ...items) => (items.length === 1 && Array.isArray(items[0]) ? items[0] : items).join(separator),
    format,
  });

  class StringBuilder {
    #pieces = [];
    constructor(text) { if (text !== undefined && typeof text !== 'number') this.append(text); }
    append(value) { this.#pieces.push(String(value)); return this; }
    reverse() { this.#pieces = [Array.from(this.toString()).reverse().join('')]; return this; }
    length() { return this.toString().length; }
    toString() { return this.#pieces.join(''); }
    toJSON() { return this.toString(); }
  }

  // --- methods of Java's strings and numbers --------------------------------------------------------------------

  // Java's patterns in JavaScript's syntax, as far as they differ in what scripts write.
  function pattern(source, flags) {
    let made = String(source).replace(/\\Q(.*?)(?:\\E|$)/gs, (_, quoted) => quoted.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&'))
      .replace(/\\[AZz]/g, end => end === '\\A' ? '^' : '$').replace(/([*+?}])\+/g, '$1');
    const inline = /^\(\?([ims]+)\)/.exec(made);
    if (inline !== null) {
      made = made.slice(inline[0].length);
      flags += inline[1];
    }
    return new RegExp(made, flags);
  }

  function replacement(text) {
    return (...found) => {
      const groups = found.slice(0, found.findIndex(value => typeof value === 'number'));
      return String(text).replace(/\\(.)|\$(\d)|\$\{([A-Za-z][A-Za-z0-9]*)\}/gs, (_, escaped, group, name) => {
        if (escaped !== undefined) return escaped;
        if (name !== undefined) return (found[found.length - 1] || {})[name] || '';
        if (group >= groups.length) throw new JavaError('IndexOutOfBoundsException', 'No group ' + group);
        return groups[group] === undefined ? '' : groups[group];
      });
    };
  }

  const nativeReplaceAll = String.prototype.replaceAll;
  function compare(a, b) {
    for (let i = 0; i < a.length && i < b.length; i++) {
      const difference = a.charCodeAt(i) - b.charCodeAt(i);
      if (difference !== 0) return difference;
    }
    return a.length - b.length;
  }

  methods(String.prototype, {
    equals(other) { return other !== null && other !== undefined && typeof other.valueOf() === 'string' && String(this) === String(other); },
    equalsIgnoreCase(other) { return other !== null && other !== undefined && this.toLowerCase() === String(other).toLowerCase(); },
    contains(other) { return this.includes(String(other)); },
    isEmpty() { return this.length === 0; },
    isBlank() { return /^\s*$/.test(this); },
    strip() { return this.trim(); },
    matches(source) { return pattern('^(?:' + source + ')$', '').test(this); },
    hashCode() {
      let hash = 0;
      for (let i = 0; i < this.length; i++) hash = Math.imul(hash, 31) + this.charCodeAt(i) | 0;
      return hash;
    },
    getBytes(charset) { return codecOf(charset).encode(String(this)); },
    toCharArray() { return this.split(''); },
    replaceFirst(source, text) { return this.replace(pattern(source, ''), replacement(text)); },
    replaceAll(source, text) {
      return typeof source === 'string'
        ? this.replace(pattern(source, 'g'), typeof text === 'function' ? text : replacement(text))
        : nativeReplaceAll.call(this, source, text);
    },
    compareTo(other) { return compare(String(this), String(other)); },
    compareToIgnoreCase(other) { return compare(this.toLowerCase(), String(other).toLowerCase()); },
  });
  methods(Number.prototype, {
    intValue() { return this | 0; },
    longValue() { return Math.trunc(this); },
    doubleValue() { return +this; },
    floatValue() { return Math.fround(this); },
    equals(other) { return other !== null && other !== undefined && +this === other.valueOf(); },
    compareTo(other) { return +this < other ? -1 : +this > other ? 1 : 0; },
  });
  methods(Boolean.prototype, {
    booleanValue() { return this.valueOf(); },
    equals(other) { return this.valueOf() === other; },
  });

  // --- how scripts reach the classes ----------------------------------------------------------------------------

  const CLASSES = {
    'java.lang.String': JavaString,
    'java.lang.StringBuilder': StringBuilder,
    'java.lang.StringBuffer': StringBuilder,
    'java.lang.Integer': Integer,
    'java.lang.Long': Long,
    'java.lang.Double': Double,
    'java.lang.Float': Float,
    'java.lang.Boolean': JavaBoolean,
    'java.lang.Math': Math,
    'java.lang.System': System,
    'java.math.BigDecimal': BigDecimal,
    'java.math.BigInteger': BigInteger,
    'java.net.URI': URI,
    'java.net.URLDecoder': URLDecoder,
    'java.net.URLEncoder': URLEncoder,
    'java.nio.charset.Charset': Charset,
    'java.nio.charset.StandardCharsets': StandardCharsets,
    'java.security.MessageDigest': MessageDigest,
    'java.util.ArrayList': ArrayList,
    'java.util.Arrays': Arrays,
    'java.util.Base64': Base64,
    'java.util.Collections': Collections,
    'java.util.HashMap': HashMap,
    'java.util.HashSet': HashSet,
    'java.util.LinkedHashMap': HashMap,
    'java.util.LinkedHashSet': HashSet,
    'java.util.LinkedList': ArrayList,
    'java.util.UUID': UUID,
    'javax.crypto.Mac': Mac,
    'javax.crypto.spec.SecretKeySpec': SecretKeySpec,
    'org.apache.commons.codec.binary.Base64': CodecBase64,
    'org.apache.commons.codec.binary.Hex': Hex,
    'org.apache.commons.codec.digest.DigestUtils': DigestUtils,
  };

  function type(name) {
    const found = CLASSES[String(name)];
    if (found === undefined) throw new Failure('the class ' + name + ' is not there');
    return found;
  }

  const Packages = {};
  for (const [name, value] of Object.entries(CLASSES)) {
    const path = name.split('.');
    const simple = path.pop();
    let at = Packages;
    for (const step of path) at = at[step] || (at[step] = {});
    at[simple] = value;
  }
  const {java, javax, org} = Packages;
  const Java = {
    type,
    from: list => Array.from(list),
    to: (list, kind) => kind === 'byte[]' ? Int8Array.from(list) : Array.from(list),
  };
  for (const [name, value] of Object.entries({Java, Packages, java, javax, org})) {
    defineProperty(globalThis, name, {value, writable: true, configurable: true, enumerable: false});
  }
  return Object.keys(CLASSES);
})
