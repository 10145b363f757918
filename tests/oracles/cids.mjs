// Prints the CIDs that js-ipfs-unixfs, an implementation that shares no code with ours, gives to generated files.
//
//   node tests/oracles/cids.mjs MODULES [FILL SIZE]...        MODULES: a node_modules folder with ipfs-unixfs-importer 17.1.1
//
// FILL: `pattern`, byte i is (31 i + 7) mod 251, or `zeros`. SIZE: bytes, decimal.
// Prints a line `FILL SIZE CID` for each. Profile unixfs-v1-2025: CIDv1, SHA-256, raw leaves, chunks of 1048576 bytes, balanced, 1024 links.
// Each setting is given by name, so that the importer's own idea of the profile does not count.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [modules, ...wanted] = process.argv.slice(2)
if (!modules || wanted.length === 0 || wanted.length % 2 !== 0) {
  console.error('usage: node cids.mjs MODULES FILL SIZE [FILL SIZE]...')
  process.exit(2)
}

// A script outside of the modules' folder can't name them, so their manifest is asked where they begin.
async function load (name, part) {
  const folder = join(modules, name)
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return import(pathToFileURL(join(folder, exports[part].import)))
}

const { importFile } = await load('ipfs-unixfs-importer', '.')
const { fixedSize } = await load('ipfs-unixfs-importer', './chunker')
const { balanced } = await load('ipfs-unixfs-importer', './layout')

const PIECE = 1 << 20
const fills = { pattern: i => (31 * i + 7) % 251, zeros: () => 0 }

async function * content (fill, size) {
  for (let at = 0; at < size; at += PIECE) {
    const piece = new Uint8Array(Math.min(PIECE, size - at))
    if (fill !== 'zeros') for (let i = 0; i < piece.length; i++) piece[i] = fills[fill](at + i)
    yield piece
  }
}

const nowhere = { put: async cid => cid }

for (let i = 0; i < wanted.length; i += 2) {
  const [fill, size] = [wanted[i], Number(wanted[i + 1])]
  if (!(fill in fills) || !Number.isSafeInteger(size) || size < 0) {
    console.error(`no such file: ${fill} ${wanted[i + 1]}`)
    process.exit(2)
  }
  const { cid } = await importFile({ content: content(fill, size) }, nowhere, {
    cidVersion: 1,
    rawLeaves: true,
    leafType: 'raw',
    reduceSingleLeafToSelf: true,
    fieldOrder: 'links-first',
    chunker: fixedSize({ chunkSize: 1048576 }),
    layout: balanced({ maxChildrenPerNode: 1024 })
  })
  console.log(`${fill} ${size} ${cid}`)
}
