// Signs typed data as a wallet app does, with viem alone:  node tests/clients/sign.mjs FILE PRIVATE-KEY  prints the signature.

import { readFileSync } from 'node:fs'
import { load } from '../oracles/interface.mjs'

const { privateKeyToAccount } = load('viem/accounts')
const [file, key] = process.argv.slice(2)
console.log(await privateKeyToAccount(key).signTypedData(JSON.parse(readFileSync(file, 'utf8'))))
