/** A value in the Distinguished Encoding Rules (ITU-T X.690, 8.1 and 10.1). */
export interface DerNode {
  readonly tag: number;
  /** With tag and length. */
  readonly bytes: Buffer;
  readonly content: Buffer;
}

/** The value that these bytes begin with. Throws Error. */
export function derNode(bytes: Buffer): DerNode {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) throw new Error("it ends in the middle of a value");
  // Long form: the low bits say how many bytes the length has.
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || lengthBytes > 4 || bytes.length < 2 + lengthBytes) throw new Error("a length is wrong");
  const start = 2 + lengthBytes;
  const end = start + (lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes));
  if (end > bytes.length) throw new Error("it ends in the middle of a value");
  return { tag, bytes: bytes.subarray(0, end), content: bytes.subarray(start, end) };
}

/** The values inside a constructed one. Throws Error. */
export function derChildren(node: DerNode | undefined): DerNode[] {
  const children: DerNode[] = [];
  for (let rest = node?.content ?? Buffer.alloc(0); rest.length > 0; ) {
    const child = derNode(rest);
    children.push(child);
    rest = rest.subarray(child.bytes.length);
  }
  return children;
}
