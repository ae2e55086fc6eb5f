// For pdf.js a stream that cannot be decoded ends where decoding fails. Here it remembers the reason, so that the page with
// this content can report it; and a string that does not end no longer takes the rest of its content with it.
import { after, before, type Patch } from "./Patch.ts"

const remember: ReadonlyArray<Patch> = [
  after(
    "class BaseStream {\n",
    String.raw`
  // A field of every stream, because one that only some have would make all of them slower to read.
  damage = undefined;
  damageFound() {
    return this.damage ?? (this.stream instanceof BaseStream ? this.stream.damageFound() : undefined);
  }
`
  ),
  before(
    "class StreamsSequenceStream extends DecodeStream {",
    String.raw`
function carryDamage(from, to) {
  const damage = from.damageFound();
  if (damage !== undefined) to.damage = damage;
  return to;
}
`
  ),
  after(
    String.raw`      if (!(ex instanceof FormatError)) {
        throw ex;
      }
      info(ex.message);
`,
    "      this.damage = ex.message;\n"
  ),
  after(
    "        if (block.length < blockLen) {\n",
    '          this.damage = "a block of a flate stream is cut off";\n'
  ),
  {
    find: '      warn(`Filter "${name}" is not supported.`);\n',
    replace:
      '      warn(`Filter "${name}" is not supported.`);\n      if (name !== "Crypt") stream.damage = `the filter ${name} is not known`;\n'
  },
  {
    find: '      warn(`Invalid stream: "${ex}"`);\n      return new NullStream();',
    replace:
      '      warn(`Invalid stream: "${ex}"`);\n      return Object.assign(new NullStream(), { damage: String(ex.message) });'
  },
  {
    find: "        t = t * 85 + (input[i] - 0x21);\n",
    replace: String.raw`        if (input[i] < 0x21 || input[i] > 0x75) this.damage ??= "a stream has characters that ASCII 85 does not know";
        t = t * 85 + (input[i] - 0x21);
`
  },
  before(
    "          currentSequence[currentSequenceLength++] = currentSequence[0];\n",
    '          if (code > nextCode || !hasPrev) this.damage ??= "an LZW stream has a code that it does not define";\n'
  ),
  // A line end or two may follow.
  before(
    "        this.eof = true;\n        delete this.lzwState;\n",
    '        if (this.stream.getBytes(9).length > 8) this.damage ??= "an LZW stream ends before its data";\n'
  ),
  after("      chunk = stream.getBytes();\n", "      this.damage ??= stream.damageFound();\n"),
  after("    this.streams = streams;\n    this._onError = onError;\n", "    this.damage = undefined;\n")
]

const pageContent: ReadonlyArray<Patch> = [
  {
    find: String.raw`        const bytes = await content.asyncGetBytes();
        if (bytes) {
          return new Stream(bytes, 0, bytes.length, content.dict);`,
    replace: String.raw`        const bytes = await content.asyncGetBytes();
        if (bytes) {
          return carryDamage(content, new Stream(bytes, 0, bytes.length, content.dict));`
  },
  {
    find: "              content[i] = new Stream(bytes, 0, bytes.length, item.dict);",
    replace: "              content[i] = carryDamage(item, new Stream(bytes, 0, bytes.length, item.dict));"
  },
  {
    find: String.raw`      return new StreamsSequenceStream(content, this.#onSubStreamError.bind(this));
    }
    return new NullStream();`,
    replace: String.raw`      const sequence = new StreamsSequenceStream(content, this.#onSubStreamError.bind(this));
      if (content.some(part => !(part instanceof BaseStream))) {
        sequence.damage = "a part of the content is missing";
      }
      return sequence;
    }
    const nothing = new NullStream();
    if (this.pageDict.getRaw("Contents") instanceof Ref) {
      nothing.damage = "the content is missing";
    }
    return nothing;`
  }
]

/** How often the rest of one content is searched for the end of a string. */
const mostScans = 16

// With one parenthesis too many, the string ends at the next closing one, or, if there is none, with its line.
const strings: ReadonlyArray<Patch> = [
  after(
    "    this._hexStringNumWarn = 0;\n    this.beginInlineImagePos = -1;\n",
    "    this.damage = undefined;\n    this.scans = 0;\n"
  ),
  {
    find: String.raw`    let numParen = 1;
    let done = false;
    const strBuf = this.strBuf;
    strBuf.length = 0;
    let ch = this.nextChar();
    while (true) {
      let charBuffered = false;
      switch (ch | 0) {
        case -1:
          warn("Unterminated string");
          done = true;
          break;
        case 0x28:
          ++numParen;`,
    replace: String.raw`    let numParen = 1;
    let done = false;
    const strBuf = this.strBuf;
    strBuf.length = 0;
    const start = this.stream.pos;
    let manner = this.scans >= ${mostScans} ? "line" : "nested";
    let ch = this.nextChar();
    while (true) {
      let charBuffered = false;
      if (manner === "line" && (ch === 0x0a || ch === 0x0d)) {
        break;
      }
      switch (ch | 0) {
        case -1:
          this.damage ??= "a string does not end";
          if (manner !== "line") {
            this.scans++;
            manner = manner === "nested" ? "flat" : "line";
            numParen = 1;
            strBuf.length = 0;
            this.stream.pos = start;
            ch = this.nextChar();
            continue;
          }
          warn("Unterminated string");
          done = true;
          break;
        case 0x28:
          if (manner === "nested") ++numParen;`
  },
  {
    find: String.raw`    this._hexStringNumWarn = 0;
    while (true) {
      if (ch < 0) {
        warn("Unterminated hex string");
        break;`,
    replace: String.raw`    this._hexStringNumWarn = 0;
    const start = this.stream.pos - 1;
    let isBroken = false;
    while (true) {
      if (isBroken && ch !== 0x3e && specialChars[ch] !== 1 && toHexDigit(ch) === -1) {
        break;
      } else if (!isBroken && this.knownCommands && (ch < 0 || ch === 0x28 || ch === 0x3c || ch === 0x5b || ch === 0x2f)) {
        this.damage ??= "a string does not end";
        isBroken = true;
        strBuf.length = 0;
        firstDigit = -1;
        this.stream.pos = start;
        ch = this.nextChar();
        continue;
      }
      if (ch < 0) {
        warn("Unterminated hex string");
        break;`
  },
  {
    find: String.raw`          while (!isCmd(this.buf1, "]") && this.buf1 !== EOF) {
            array.push(this.getObj(cipherTransform));
          }`,
    replace: String.raw`          while (!isCmd(this.buf1, "]") && this.buf1 !== EOF) {
            if (this.lexer.knownCommands && this.buf1 instanceof Cmd && /^(?:T[jJ]|BT|ET|Do|q|Q|BI|EMC)$/.test(this.buf1.cmd)) {
              this.lexer.damage ??= "an array does not end";
              return array;
            }
            array.push(this.getObj(cipherTransform));
          }`
  },
  {
    find: String.raw`            if (!(this.buf1 instanceof Name)) {
              info("Malformed dictionary: key must be a name object");`,
    replace: String.raw`            if (this.buf1 instanceof Cmd && this.lexer.knownCommands?.[this.buf1.cmd]) {
              this.lexer.damage ??= "a dictionary does not end";
              return dict;
            }
            if (!(this.buf1 instanceof Name)) {
              info("Malformed dictionary: key must be a name object");`
  },
  // Only the content of pages has commands that are known.
  {
    find: "        throw new FormatError(`Illegal character: ${ch}`);",
    replace: String.raw`        if (this.knownCommands) {
          this.damage ??= "a parenthesis closes nothing";
          return this.getObj();
        }
        throw new FormatError("Illegal character: " + ch);`
  }
]

/** Everything from an image on is taken for its data, or everything up to the last `EI` that cannot be its end. */
const inlineImages: ReadonlyArray<Patch> = [
  after(
    '      warn("findDefaultInlineStreamEnd: " + "Reached the end of the stream without finding a valid EI marker");\n',
    '      this.lexer.damage ??= "an image within the content does not end";\n'
  )
]

export const streamPatches: ReadonlyArray<Patch> = [...remember, ...pageContent, ...strings, ...inlineImages]
