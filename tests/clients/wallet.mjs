// Prints the code that deploys contracts/test/OwnedWallet.sol for an owner:  node tests/clients/wallet.mjs OWNER

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, root } from '../oracles/interface.mjs'

const solc = load('solc')
const { encodeAbiParameters } = load('viem')
const file = 'contracts/test/OwnedWallet.sol'
const input = {
  language: 'Solidity',
  sources: { [file]: { content: readFileSync(join(root, file), 'utf8') } },
  settings: { evmVersion: 'cancun', outputSelection: { '*': { OwnedWallet: ['evm.bytecode.object'] } } }
}
const imported = path => ({ contents: readFileSync(load.resolve(path), 'utf8') })
const { contracts, errors = [] } = JSON.parse(solc.compile(JSON.stringify(input), { import: imported }))
if (errors.length > 0) throw new Error(errors.map(error => error.formattedMessage).join('\n'))
const [owner] = process.argv.slice(2)
const code = contracts[file].OwnedWallet.evm.bytecode.object
console.log('0x' + code + encodeAbiParameters([{ type: 'address' }], [owner]).slice(2))
