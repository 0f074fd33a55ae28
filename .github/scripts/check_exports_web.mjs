// Hold icebox's ONNX exports against ONNX Runtime Web, which browsers run.
//
//     node check_exports_web.mjs FOLDER
//
// FOLDER is what TestExportsElsewhere (cmd/icebox) prepares; see check_exports.py. NODE_MODULES names the folder
// node_modules that has onnxruntime-web. The last line of stdout is a JSON object; a check that fails ends the program.
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const folder = process.argv[2]
const dist = path.join(process.env.NODE_MODULES, 'onnxruntime-web', 'dist')
const ort = await import(pathToFileURL(path.join(dist, 'ort.wasm.min.mjs')))
ort.env.wasm.wasmPaths = pathToFileURL(dist).href + '/'
ort.env.wasm.numThreads = 1

const read = (name) => { const b = fs.readFileSync(path.join(folder, name)); return b.buffer.slice(b.byteOffset, b.byteOffset + b.length) }
const photos = JSON.parse(fs.readFileSync(path.join(folder, 'photos.json')))
const probs = new Float64Array(read('probabilities.f8'))
const classes = probs.length / photos.length
const side = 224, pixels = side * side * 3
const crops = new Uint8Array(read('crops.u1'))
const n = Math.min(photos.length, 32), batch = 8

// normalised is a batch of crops as planes of numbers, as torchvision's transforms make it.
function normalised(from, count) {
  const mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225]
  const out = new Float32Array(count * pixels)
  for (let i = 0; i < count; i++)
    for (let p = 0; p < side * side; p++)
      for (let c = 0; c < 3; c++)
        out[i * pixels + c * side * side + p] = (crops[(from + i) * pixels + p * 3 + c] / 255 - mean[c]) / std[c]
  return new ort.Tensor('float32', out, [count, 3, side, side])
}

function raw(from, count) {
  return new ort.Tensor('uint8', crops.slice(from * pixels, (from + count) * pixels), [count, side, side, 3])
}

const results = {}
for (const [name, input] of [['crop.onnx', raw], ['pixels.onnx', normalised]]) {
  const session = await ort.InferenceSession.create(new Uint8Array(read(name)), { executionProviders: ['wasm'] })
  let worst = 0
  for (let from = 0; from < n; from += batch) {
    const count = Math.min(batch, n - from)
    const out = await session.run({ [session.inputNames[0]]: input(from, count) })
    const got = out[session.outputNames.find((o) => o.startsWith('prob'))].data
    for (let i = 0; i < count * classes; i++) worst = Math.max(worst, Math.abs(got[i] - probs[from * classes + i]))
  }
  results['ONNX Runtime Web, ' + name] = { photos: n, 'max |dp|': worst }
  if (!(worst <= 1e-4)) {
    console.error(`${name}: probabilities differ by ${worst}; so far: ${JSON.stringify(results)}`)
    process.exit(1)
  }
}
console.log(JSON.stringify(results))
