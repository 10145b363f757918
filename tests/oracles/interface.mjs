// What the other oracles here share: where the packages are, and the declarations of tests/vectors/interface.abi as viem reads them.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '../..')

/** The package `name` of $MEDSEAL_TOOLS, or of target/tools, which scripts/setup fills. */
export const load = createRequire(join(process.env.MEDSEAL_TOOLS ?? join(root, 'target/tools'), 'node_modules', 'x'))

const { parseAbi, parseAbiParameters } = load('viem')

export const text = readFileSync(join(root, 'tests/vectors/interface.abi'), 'utf8')
const lines = text.split('\n').filter(line => line !== '')
const structLines = lines.filter(line => line.startsWith('struct '))

export const abi = parseAbi(lines)

/** `make`, which is asked for the same few names again and again, with a memory. */
const once = (make, known = new Map()) => name => known.get(name) ?? known.set(name, make(name)).get(name)

/** The ABI parameters that `declarations` ("Grant value, bytes32 digest") stand for. */
export const parameters = once(declarations => parseAbiParameters([declarations, ...structLines]))

/** The EIP-712 types that a struct needs: itself, and those in it. */
export const types = once(name => {
  const line = structLines.find(line => line.startsWith(`struct ${name} {`))
  const fields = line.slice(line.indexOf('{') + 1, line.indexOf('; }')).split('; ').map(field => {
    const [type, name] = field.trim().split(' ')
    return { name, type }
  })
  const inner = fields.filter(({ type }) => type.endsWith('[]')).map(({ type }) => types(type.slice(0, -2)))
  return Object.assign({ [name]: fields }, ...inner)
})
