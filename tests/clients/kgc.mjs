// Fetches an image's key from a key center, from its OpenAPI document and FORMAT.md alone; shares no code with MedSeal.
//   node tests/clients/kgc.mjs RPC_URL KGC_URL REGISTRY PRIVATE_KEY IMAGE_ID SEALED_FILE CAPSULES_FILE
// Prints {key, receipt}, or {problem, receipt} where it is refused. Receipts are checked against the receipt signer on chain.

import { readFileSync } from 'node:fs'
import { abi, load } from '../oracles/interface.mjs'

const {
  createPublicClient, encodeAbiParameters, getAddress, hashTypedData, http, keccak256, recoverAddress
} = load('viem')
const { privateKeyToAccount } = load('viem/accounts')
const { CipherSuite, HkdfSha256 } = load('@hpke/core')
const { DhkemX25519HkdfSha256 } = load('@hpke/dhkem-x25519')
const { Chacha20Poly1305 } = load('@hpke/chacha20poly1305')

const [rpc, kgc, registry, privateKey, imageId, sealedFile, capsulesFile] = process.argv.slice(2)
const hex = bytes => '0x' + Buffer.from(bytes).toString('hex')
const bytes = text => Buffer.from(text.slice(2), 'hex')
const get = async path => (await fetch(kgc + path)).json()

// The routes that are used stand in the document.
const document = await get('/v1/openapi.json')
for (const path of ['/v1/kgc', '/v1/challenges', '/v1/release']) {
  if (!document.paths[path]) throw new Error(`no ${path} in the document`)
}

const info = await get('/v1/kgc')
const chain = createPublicClient({ transport: http(rpc) })
const domain = { name: 'MedSeal', version: '1', chainId: await chain.getChainId(), verifyingContract: getAddress(registry) }
const key = await chain.readContract({ address: registry, abi, functionName: 'currentKgcKey', args: [info.kgcId] })

// FORMAT.md, section 8: a fresh key, the hash of the challenge, one signature.
const suite = new CipherSuite({ kem: new DhkemX25519HkdfSha256(), kdf: new HkdfSha256(), aead: new Chacha20Poly1305() })
const pair = await suite.kem.generateKeyPair()
const { challenges: [challenge] } = await get('/v1/challenges')
const arrayHash = items => keccak256(encodeAbiParameters([{ type: 'bytes32[]' }], [items]))
const challengeHashes = [keccak256(challenge)]
const now = Math.floor(Date.now() / 1000)
const account = privateKeyToAccount(privateKey)
const message = {
  requester: account.address, kgcSetHash: arrayHash([info.kgcId]), imageId,
  recipientPublicKey: hex(await suite.kem.serializePublicKey(pair.publicKey)),
  challengesHash: arrayHash(challengeHashes), issuedAt: BigInt(now), deadline: BigInt(now + 120)
}
const fields = text => text.split(',').map(field => ({ type: field.split(' ')[0], name: field.split(' ')[1] }))
const request = {
  domain, message, primaryType: 'KeyRequest',
  types: {
    KeyRequest: fields('address requester,bytes32 kgcSetHash,bytes32 imageId,bytes32 recipientPublicKey,' +
      'bytes32 challengesHash,uint64 issuedAt,uint64 deadline')
  }
}
const signature = await account.signTypedData(request)

// Section 2: bytes 0 .. 14+H of the sealed image.
const sealed = readFileSync(sealedFile)
const header = sealed.subarray(0, 14 + sealed.readUInt32BE(10))
const { requester: wallet, issuedAt, deadline, ...rest } = message
const body = {
  request: { wallet, ...rest, issuedAt: now, deadline: now + 120 },
  signature, kgcs: [info.kgcId], challengeHashes, challenge,
  header: header.toString('base64'), capsules: readFileSync(capsulesFile).toString('base64')
}
const response = await fetch(kgc + '/v1/release', {
  method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body)
})
const answer = await response.json()

const digest = hashTypedData(request)
const check = async (receipt, answerHash) => {
  const { signature: signed, ...said } = receipt
  const hash = hashTypedData({
    domain, primaryType: 'KeyReceipt', message: said,
    types: {
      KeyReceipt: fields('bytes32 requestDigest,bytes32 imageId,address wallet,uint8 decision,string reason,' +
        'uint64 blockNumber,bytes32 blockHash,uint64 time,bytes32 kgcId,bytes32 logId,uint64 logSeq,bytes32 logHead,' +
        'bytes32 answerHash')
    }
  })
  const signer = await recoverAddress({ hash, signature: signed })
  if (signer !== getAddress(key.receiptSigner)) throw new Error(`the receipt is signed by ${signer}`)
  if (said.requestDigest !== digest || said.answerHash !== answerHash) throw new Error('the receipt is for something else')
  return receipt
}
if (response.status !== 200) {
  const receipt = answer.receipt && await check(answer.receipt, '0x' + '00'.repeat(32))
  console.log(JSON.stringify({ problem: answer.type, receipt }))
} else {
  const receipt = await check(answer.receipt, keccak256(answer.answer))
  const [enc, ciphertext] = [bytes(answer.answer).subarray(0, 32), bytes(answer.answer).subarray(32)]
  const opened = await suite.open({ recipientKey: pair.privateKey, enc, info: bytes(digest) }, ciphertext)
  console.log(JSON.stringify({ key: hex(new Uint8Array(opened)), receipt }))
}
