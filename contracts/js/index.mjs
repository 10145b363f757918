// ImageRegistry for apps with wallets, on viem. index.d.ts is the manual.

import { readFileSync } from 'node:fs'
import { createPublicClient, getAddress, http, keccak256, sha256 } from 'viem'

export const abi = JSON.parse(readFileSync(new URL('../abi/ImageRegistry.json', import.meta.url), 'utf8'))

const isSigned = ({ type, inputs }) =>
  type === 'function' && inputs.length === 2 && inputs[0].type === 'tuple' && inputs[1].name === 'signature'
const nameOf = ({ internalType }) => internalType.split(/[ .]/).pop().replace('[]', '')
const signedFunctions = Object.fromEntries(abi.filter(isSigned).map(entry => [nameOf(entry.inputs[0]), entry]))

function typesOf (parameter) {
  const field = inner => ({ name: inner.name, type: inner.components ? inner.type.replace('tuple', nameOf(inner)) : inner.type })
  const inside = parameter.components.filter(({ components }) => components).map(typesOf)
  return Object.assign({ [nameOf(parameter)]: parameter.components.map(field) }, ...inside)
}

function signed (primaryType) {
  if (!Object.hasOwn(signedFunctions, primaryType)) throw new Error(`the registry takes no signed ${primaryType}`)
  return signedFunctions[primaryType]
}

export function readDeployment (file) {
  const { schema, chainId, address, codeHash } = JSON.parse(readFileSync(file, 'utf8'))
  if (!schema?.startsWith('medseal/deployment/')) throw new Error(`${file} is no deployment file`)
  return { chainId, address: getAddress(address), codeHash }
}

export function typedData ({ chainId, address }, primaryType, message) {
  const domain = { name: 'MedSeal', version: '1', chainId, verifyingContract: address }
  return { domain, types: typesOf(signed(primaryType).inputs[0]), primaryType, message }
}

export function relayCall ({ address }, primaryType, message, signature) {
  return { address, abi, functionName: signed(primaryType).name, args: [message, signature] }
}

export async function connect (deployment, url) {
  const client = createPublicClient({ transport: http(url) })
  const found = await client.getChainId()
  if (found !== deployment.chainId) throw new Error(`expected chain ${deployment.chainId}, found ${found}`)
  const code = await client.getCode({ address: deployment.address })
  if (!code || keccak256(code) !== deployment.codeHash) throw new Error(`another contract, or none, at ${deployment.address}`)
  const read = (functionName, ...args) => client.readContract({ address: deployment.address, abi, functionName, args })
  const verifyFile = async (imageId, bytes) => {
    const contentHash = sha256(bytes)
    return { valid: await read('verify', imageId, contentHash), contentHash }
  }
  // Never a number to come: it is read at the newest block, and a revocation ends all that was signed before.
  const at = { blockTag: 'latest' }
  const view = (functionName, ...args) => client.readContract({ address: deployment.address, abi, functionName, args, ...at })
  const operatorSeq = async ({ imageId, by }) => {
    const { sender } = await view('recordOf', imageId)
    return sender === getAddress(by) ? 0n : (await view('operatorOf', sender, by)).seq
  }
  const access = async message => ({ accessSeq: (await view('accessOf', message.imageId, message.wallet)).seq, operatorSeq: await operatorSeq(message) })
  const numbers = {
    Verification: async ({ verifier }) => ({ nonce: await view('nonces', verifier) }),
    FlagDecision: async ({ imageId }) => {
      const { id, state } = await view('flagOf', imageId)
      if (state !== 1) throw new Error(`no flag of ${imageId} is open`)
      return { flagId: id }
    },
    Grant: access,
    Revocation: access,
    OperatorChange: async ({ sender, operator }) => ({ operatorSeq: (await view('operatorOf', sender, operator)).seq }),
    CapsulesUpdate: async message => ({ version: (await view('capsulesOf', message.imageId)).version, operatorSeq: await operatorSeq(message) })
  }
  const numbered = async (primaryType, message) => {
    signed(primaryType)
    return { ...message, ...await numbers[primaryType]?.(message) }
  }
  return { client, read, verifyFile, numbered }
}
