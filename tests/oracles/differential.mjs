// Writes random values with what viem and @openzeppelin/merkle-tree make of them, for the Solidity and Rust tests to compare with what they make of them:
// EIP-712 digests of all signed structs, image ids, Merkle roots and proofs.
//
//   node tests/oracles/differential.mjs [CASES [SEED]]        1000 of each struct, SEED any text: the same text, the same files
//
// Into target/foundry/differential, a file of bytes for each kind, NAME.abi: the ABI encoding of an array of what FILES and MERKLE_FILES say. Values are such that
// the contract itself gets as far as checking a signature; beside that, numbers are often at their ends.

import { createCipheriv, createHash } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, parameters, root, types } from './interface.mjs'

const { concat, encodeAbiParameters, hashStruct, hashTypedData, hexToBytes, keccak256, toHex } = load('viem')
const { StandardMerkleTree } = load('@openzeppelin/merkle-tree')

const cases = Number(process.argv[2] ?? 1000)
const seed = process.argv[3] ?? 'medseal'
if (!Number.isSafeInteger(cases) || cases < 1 || process.argv.length > 4) {
  console.error('usage: node differential.mjs [CASES [SEED]]')
  process.exit(2)
}

/** Where anvil's first account deploys first: the contract of all cases, on another chain each. */
const REGISTRY = '0x5FbDB2315678afecb367f032d93F642f64180aa3'
const FILES = {
  Registration: 'uint64 chainId, Registration value, bytes32 imageId, bytes32 digest',
  Batch: 'uint64 chainId, Batch value, bytes32 itemsHash, bytes32 digest',
  Anchor: 'uint64 chainId, Anchor value, bytes32 digest',
  Verification: 'uint64 chainId, Registration seen, Verification value, bytes32 digest',
  FlagDecision: 'uint64 chainId, FlagDecision value, bytes32 digest',
  Grant: 'uint64 chainId, Grant value, bytes32 digest',
  Revocation: 'uint64 chainId, Revocation value, bytes32 digest',
  OperatorChange: 'uint64 chainId, OperatorChange value, bytes32 digest',
  CapsulesUpdate: 'uint64 chainId, CapsulesUpdate value, bytes32 digest'
}
const MERKLE_FILES = {
  Leaf: 'bytes32 salt, bytes32 contentHash, bytes cid, bytes32 capsulesHash, bytes32 headerHash, uint64 size',
  Tree: 'address sender, uint256 first, uint32 count, bytes32 root',
  Proof: 'uint256 tree, uint256 leaf, bytes32 leafHash, bytes32[] proof'
}
const [MAX_U64, MAX_U128] = [2n ** 64n - 1n, 2n ** 128n - 1n]

// ---- random values ----

const keystream = createCipheriv('aes-128-ctr', createHash('sha256').update(seed).digest().subarray(0, 16), Buffer.alloc(16))
const bytes = length => keystream.update(Buffer.alloc(length))
const bits = count => BigInt(toHex(bytes(count / 8)))
const below = limit => Number(bits(48) % BigInt(limit))
const oneIn = count => below(count) === 0

/** `least ..= most`, at one of its ends in a quarter of all cases. */
function number (least, most) {
  if (oneIn(8)) return least
  if (oneIn(8)) return most
  return least + bits(256) % (most - least + 1n)
}

const word = () => {
  const random = bytes(32)
  if (oneIn(16)) random.fill(0, 0, 16) // leaves enough that no two are equal
  random[31] |= 1 // never zero
  return toHex(random)
}
const address = () => toHex(bytes(20))
const data = (least, most) => toHex(bytes(Number(number(BigInt(least), BigInt(most)))))
const chainId = () => number(1n, MAX_U64)

const RANDOM = {
  address,
  bool: () => oneIn(2),
  bytes: () => data(0, 64),
  bytes32: word,
  uint32: () => Number(number(1n, 2n ** 32n - 1n)),
  uint40: () => Number(number(0n, 2n ** 40n - 1n)),
  uint64: () => number(0n, MAX_U64),
  uint128: () => number(0n, MAX_U128)
}
const item = () => ({ ...random('Item'), size: number(1n, 1n << 20n) })
const SPECIAL = {
  'Registration.size': () => number(1n, MAX_U64),
  'Anchor.leavesCid': () => data(1, 64),
  'Batch.items': () => Array.from({ length: oneIn(50) ? Number(number(1n, 100n)) : 1 + below(5) }, item),
  // The test puts it there: what is drawn when a wallet cancels its signatures, nobody foretells.
  'Verification.nonce': () => bits(256) >> 1n,
  'OperatorChange.operatorSeq': () => oneIn(2) ? 0n : number(0n, MAX_U128),
  'Grant.accessSeq': () => oneIn(2) ? 0n : number(0n, MAX_U128),
  'Revocation.accessSeq': () => oneIn(2) ? 0n : number(0n, MAX_U128)
}

function random (struct) {
  const [{ components }] = parameters(`${struct} value`)
  return Object.fromEntries(components.map(({ name, type }) => [name, (SPECIAL[`${struct}.${name}`] ?? RANDOM[type])()]))
}

// ---- what is made of them ----

const digest = (chainId, primaryType, message) => hashTypedData({
  domain: { name: 'MedSeal', version: '1', chainId, verifyingContract: REGISTRY }, types: types(primaryType), primaryType, message
})

const imageId = (chainId, { sender, salt }) =>
  keccak256(encodeAbiParameters(parameters('uint256 chain, address registry, address sender, bytes32 salt'), [chainId, REGISTRY, sender, salt]))

/** What the signed Batch holds for its items. */
const itemsHash = items => keccak256(concat(items.map(data => hashStruct({ data, primaryType: 'Item', types: types('Item') }))))

function randomCase (struct) {
  const chain = chainId()
  const value = random(struct)
  const given = { chainId: chain, value }
  if (struct === 'Registration') given.imageId = imageId(chain, value)
  if (struct === 'Batch') given.itemsHash = itemsHash(value.items)
  if (struct === 'Verification') {
    given.seen = random('Registration')
    value.imageId = imageId(chain, given.seen)
    // Not a minute before or after the deadline, which is when it is registered and relayed.
    const [earliest, latest] = [value.deadline - 60n, value.deadline + 60n]
    value.observedAt = number(earliest > 0n ? earliest : 0n, latest < MAX_U64 ? latest : MAX_U64)
  }
  return { ...given, digest: digest(chain, struct, value) }
}

const LEAF = ['bytes32', 'bytes32', 'bytes32', 'bytes32', 'bytes32', 'uint64']
const leafFields = leaf => [leaf.salt, leaf.contentHash, keccak256(leaf.cid), leaf.capsulesHash, leaf.headerHash, leaf.size]

/** A tree for each of 1 to 257 leaves, taken in turn from a pool of random ones, and proofs of four leaves of each. */
function merkle () {
  const pool = Array.from({ length: 600 }, () => ({ ...random('Leaf'), size: number(1n, MAX_U64) }))
  const [trees, proofs] = [[], []]
  for (let count = 1; count <= 257; count++) {
    const first = below(pool.length - count + 1)
    const leaves = pool.slice(first, first + count)
    const tree = StandardMerkleTree.of(leaves.map(leafFields), LEAF)
    for (const at of [count - 1, below(count), below(count), below(count)]) {
      const leafHash = tree.leafHash(leafFields(leaves[at]))
      proofs.push({ tree: BigInt(trees.length), leaf: BigInt(first + at), leafHash, proof: tree.getProof(at) })
    }
    trees.push({ sender: address(), first: BigInt(first), count, root: tree.root })
  }
  return { Leaf: pool, Tree: trees, Proof: proofs }
}

// ---- files ----

const folder = join(root, 'target/foundry/differential')
mkdirSync(folder, { recursive: true })

/** Whole or not at all: another test may be reading. */
function write (name, fields, values) {
  const path = join(folder, `${name}.abi`)
  const encoded = encodeAbiParameters([{ type: 'tuple[]', components: parameters(fields) }], [values])
  writeFileSync(`${path}.${process.pid}`, hexToBytes(encoded))
  renameSync(`${path}.${process.pid}`, path)
  console.log(`${name} ${values.length}`)
}

for (const [struct, fields] of Object.entries(FILES)) write(struct, fields, Array.from({ length: cases }, () => randomCase(struct)))
for (const [name, values] of Object.entries(merkle())) write(name, MERKLE_FILES[name], values)
console.log(`seed ${seed}`)
