// Shamir's sharing by npm's shamir-secret-sharing, which shares no code with MedSeal: both over GF(2^8), 0x11b.
//   node tests/clients/shares.mjs SECRET < SHARINGS
// SHARINGS: JSON, a list of {threshold, shares: [[index, hex], ...]}. Prints {combined, split}: the secret that each gives,
// and a sharing of SECRET, 3 of 5, in the same form.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const load = createRequire(join(process.env.MEDSEAL_TOOLS ?? join(root, 'target/tools'), 'node_modules', 'x'))
const { combine, split } = load('shamir-secret-sharing')

const hex = bytes => '0x' + Buffer.from(bytes).toString('hex')
const bytes = text => Uint8Array.from(Buffer.from(text.slice(2), 'hex'))
// There the index is a share's last byte.
const theirs = ([index, share]) => Uint8Array.from([...bytes(share), index])
const ours = share => [share[share.length - 1], hex(share.slice(0, -1))]

const combined = []
for (const { shares } of JSON.parse(readFileSync(0, 'utf8'))) combined.push(hex(await combine(shares.map(theirs))))
const shares = await split(bytes(process.argv[2]), 5, 3)
console.log(JSON.stringify({ combined, split: shares.map(ours) }))
