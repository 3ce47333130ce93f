/** Just enough of ONNX's protobuf to write a model that looks up a row for each token. */
const varint = (value: number): number[] => (value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)])
const whole = (field: number, value: number) => [...varint(field << 3), ...varint(value)]
const bytes = (field: number, value: readonly number[]) => [
  ...varint((field << 3) | 2),
  ...varint(value.length),
  ...value,
]
const text = (field: number, value: string) => bytes(field, [...new TextEncoder().encode(value)])

const FLOAT = 1
const INT64 = 7

/** A tensor's name and shape; a name for a dimension stands for any size. */
const value = (name: string, type: number, shape: readonly (string | number)[]) => {
  const dimensions = shape.flatMap((size) => bytes(1, typeof size === 'string' ? text(2, size) : whole(1, size)))
  return [...text(1, name), ...bytes(2, bytes(1, [...whole(1, type), ...bytes(2, dimensions)]))]
}

/** A token classifier: `logits` of a token are its row of the table, whatever stands around it. */
export const tinyOnnx = (table: readonly (readonly number[])[]): Uint8Array => {
  const width = table[0]?.length ?? 0
  const raw = [...new Uint8Array(new Float32Array(table.flat()).buffer)]
  const weights = [
    ...whole(1, table.length),
    ...whole(1, width),
    ...whole(2, FLOAT),
    ...text(8, 'table'),
    ...bytes(9, raw),
  ]
  const look = [...text(1, 'table'), ...text(1, 'input_ids'), ...text(2, 'logits'), ...text(4, 'Gather')]
  const graph = [
    ...bytes(1, look),
    ...text(2, 'tiny'),
    ...bytes(5, weights),
    ...bytes(11, value('input_ids', INT64, ['batch', 'sequence'])),
    ...bytes(11, value('attention_mask', INT64, ['batch', 'sequence'])),
    ...bytes(12, value('logits', FLOAT, ['batch', 'sequence', width])),
  ]
  return Uint8Array.from([...whole(1, 8), ...bytes(7, graph), ...bytes(8, whole(2, 13))])
}
