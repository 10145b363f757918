// Uses contracts/js against a real chain:  node tests/clients/package.mjs DEPLOYMENT URL IMAGE-ID SEALED-FILE TYPED-DATA  prints "N passed".

import { deepStrictEqual, rejects, strictEqual, throws } from 'node:assert'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { load, root } from '../oracles/interface.mjs'

// Beside the pinned viem of scripts/setup, so that nothing is installed twice.
const tools = process.env.MEDSEAL_TOOLS ?? join(root, 'target/tools')
cpSync(join(root, 'contracts/js/index.mjs'), join(tools, 'js/index.mjs'))
cpSync(join(root, 'contracts/abi'), join(tools, 'abi'), { recursive: true })
const registry = await import(pathToFileURL(join(tools, 'js/index.mjs')).href)
const { hashTypedData } = load('viem')

const [file, url, imageId, sealed, printed] = process.argv.slice(2)
const deployment = registry.readDeployment(file)
const { verifyFile, read, numbered } = await registry.connect(deployment, url)
const bytes = new Uint8Array(readFileSync(sealed))
strictEqual((await verifyFile(imageId, bytes)).valid, true)
bytes[bytes.length - 1] ^= 1
strictEqual((await verifyFile(imageId, bytes)).valid, false)
await rejects(verifyFile('0x' + '11'.repeat(32), bytes), /UnknownImage/)
strictEqual((await read('recordOf', imageId)).sender.length, 42)
const typed = JSON.parse(readFileSync(printed, 'utf8'))
const built = registry.typedData(deployment, typed.primaryType, typed.message)
deepStrictEqual(hashTypedData(built), hashTypedData(typed))
throws(() => registry.typedData(deployment, 'Permit', {}), /no signed Permit/)
const { sender } = await read('recordOf', imageId)
const stranger = '0x000000000000000000000000000000000000dEaD'
deepStrictEqual(await numbered('Grant', { imageId, wallet: stranger, by: sender }), { imageId, wallet: stranger, by: sender, accessSeq: 0n, operatorSeq: 0n })
deepStrictEqual(await numbered('OperatorChange', { sender, operator: stranger }), { sender, operator: stranger, operatorSeq: 0n })
deepStrictEqual((await numbered('CapsulesUpdate', { imageId, by: sender })).version, 0n)
deepStrictEqual((await numbered('Verification', { imageId, verifier: stranger })).nonce, 0n)
await rejects(numbered('FlagDecision', { imageId }), /no flag of 0x\w+ is open/)
await rejects(numbered('Permit', {}), /no signed Permit/)
await rejects(registry.connect({ ...deployment, chainId: 1 }, url), /expected chain 1/)
await rejects(registry.connect({ ...deployment, codeHash: '0x' }, url), /another contract/)
console.log('14 passed')
