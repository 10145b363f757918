// Checks tests/vectors/typed_data.json with viem and solc, which share no code with us or with the program that wrote it, and that
// tests/vectors/interface.abi says what contracts/src/IImageRegistry.sol says: fields, names, order and indices of everything.
//
//   node tests/oracles/typed_data.mjs        prints a line for each kind of check and "N passed"; exit code 1 at the first that differs

import { deepStrictEqual, strictEqual } from 'node:assert'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { abi, load, parameters, root, types } from './interface.mjs'

const {
  concat, domainSeparator, encodeAbiParameters, getTypesForEIP712Domain, hashStruct, hashTypedData, keccak256, numberToHex,
  recoverTypedDataAddress, toEventSelector, toFunctionSelector, toHex
} = load('viem')
const { TypedData: { encodeType } } = load('ox') // a part of viem
const { privateKeyToAddress } = load('viem/accounts')
const solc = load('solc')

const vectors = JSON.parse(readFileSync(join(root, 'tests/vectors/typed_data.json'), 'utf8'))
const source = readFileSync(join(root, 'contracts/src/IImageRegistry.sol'), 'utf8')
// A type string may go on in the next line of the comment.
const manual = source.replace(/\n *\/\/\/ /g, ' ')
let passed = 0

function equal (found, expected, what) {
  deepStrictEqual(found, expected, what)
  passed++
}

/** The interface's ABI, from the compiler: the file imports nothing. */
function compiled () {
  const outputSelection = { '*': { '*': ['abi'] } }
  const input = { language: 'Solidity', sources: { I: { content: source } }, settings: { outputSelection } }
  const output = JSON.parse(solc.compile(JSON.stringify(input)))
  strictEqual(output.errors, undefined, JSON.stringify(output.errors))
  return output.contracts.I.IImageRegistry.abi
}

/** One line for each entry, sorted; what the compiler adds for people (internal types) left out. */
function declarations (entries) {
  const field = ({ name, type, indexed, components }) => `${type}${components ? `(${components.map(field)})` : ''} ${indexed ? 'indexed ' : ''}${name ?? ''}`
  const line = ({ type, name, inputs, outputs, stateMutability }) =>
    `${type} ${name}(${inputs.map(field)}) ${stateMutability ?? ''} (${(outputs ?? []).map(field)})`
  return entries.map(line).sort()
}

function checkInterface () {
  const [found, expected] = [declarations(compiled()), declarations(abi)]
  for (const line of expected) if (!found.includes(line)) throw new Error(`not in the contract's interface: ${line}`)
  for (const line of found) equal(expected.includes(line), true, `not in interface.abi: ${line}`)
}

function checkSelectors () {
  const kinds = { error: ['errors', 'selector'], event: ['events', 'topic'], function: ['functions', 'selector'] }
  for (const [kind, [list, key]] of Object.entries(kinds)) {
    const entries = abi.filter(({ type }) => type === kind)
    deepStrictEqual(Object.keys(vectors[list]).sort(), entries.map(({ name }) => name).sort(), list)
    for (const entry of entries) {
      const selector = kind === 'event' ? toEventSelector(entry) : toFunctionSelector({ ...entry, type: 'function', outputs: [] })
      equal(vectors[list][entry.name][key], selector, entry.name)
    }
  }
  const id = Object.values(vectors.functions).reduce((id, { selector }) => id ^ BigInt(selector), 0n)
  equal(vectors.interfaceId, numberToHex(id, { size: 4 }), 'interfaceId')
}

async function checkStructs () {
  const { domain } = vectors
  const domainTypes = { EIP712Domain: getTypesForEIP712Domain({ domain }) }
  equal(vectors.domainType, encodeType({ primaryType: 'EIP712Domain', types: domainTypes }), 'domain type')
  equal(vectors.domainSeparator, domainSeparator({ domain, types: domainTypes }), 'domain separator')
  for (const [primaryType, vector] of Object.entries(vectors.structs)) {
    const { message, typeString } = vector
    const typedData = { domain, types: types(primaryType), primaryType, message }
    equal(typeString, encodeType(typedData), `${primaryType}: type string`)
    equal(manual.includes(`\`${typeString}\``), true, `${primaryType}: type string in the manual`)
    equal(vector.typeHash, keccak256(toHex(typeString)), `${primaryType}: type hash`)
    equal(vector.encoded, encodeAbiParameters(parameters(`${primaryType} value`), [message]), `${primaryType}: ABI`)
    equal(vector.structHash, hashStruct({ ...typedData, data: message }), `${primaryType}: struct hash`)
    if (vector.digest === undefined) continue
    equal(vector.digest, hashTypedData(typedData), `${primaryType}: digest`)
    const signer = await recoverTypedDataAddress({ ...typedData, signature: vector.signature })
    equal(signer, privateKeyToAddress(vector.privateKey), `${primaryType}: signer`)
  }
}

/** The words follow from the events' fields by the formula of the manual. */
function checkAudit () {
  const { block, time, events: [first, ...events] } = vectors.audit
  const { chainId, verifyingContract } = vectors.domain
  const start = encodeAbiParameters(parameters('string label, uint256 chain, address registry'), ['MedSeal audit v1', BigInt(chainId), verifyingContract])
  equal(first.trail, concat(['0x000000000000', keccak256(start).slice(0, 54)]), 'first word')
  let before = BigInt(first.trail)
  for (const { event, fields, trail } of events) {
    const link = parameters('uint256 before, bytes32 kind, uint256 number, uint256 time, bytes32 fields')
    const hash = keccak256(encodeAbiParameters(link, [before, vectors.events[event].topic, BigInt(block), BigInt(time), keccak256(fields)]))
    before = (((before >> 208n) + 1n) << 208n) | (BigInt(hash) >> 48n)
    equal(trail, numberToHex(before, { size: 32 }), `trail of ${event}`)
  }
}

for (const check of [checkInterface, checkSelectors, checkStructs, checkAudit]) {
  const before = passed
  await check()
  console.log(`${check.name} ${passed - before}`)
}
console.log(`${passed} passed`)
