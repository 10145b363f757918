// What each part of an act costs, from the trace of a real transaction on anvil (Prague rules): what the documents' table of parts is made from.
// Sender, verifier and relayer have acted before; all values are the same at every run, so the numbers are, too.

import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { abi, load, root, types } from './interface.mjs'

const { concat, encodeDeployData, encodeFunctionData, encodeAbiParameters, keccak256, toHex, hexToBytes } = load('viem')
const { mnemonicToAccount } = load('viem/accounts')

const NOW = 1_800_000_000
const DEADLINE = BigInt(NOW + 3600)
const account = addressIndex => mnemonicToAccount('test test test test test test test test test test test junk', { addressIndex })
const [deployer, sender, verifier, relayer] = [0, 1, 2, 3].map(account)
const READERS = [4, 5, 6].map(index => account(index).address)
const word = text => keccak256(toHex(text))

async function freePort () {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address()
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Runs `use` with a node of its own. */
async function withAnvil (use) {
  const port = await freePort()
  const own = join(root, 'target/tools/bin/anvil')
  const node = spawn(existsSync(own) ? own : 'anvil', ['--port', port, '--hardfork', 'prague', '--steps-tracing', '--silent', '--timestamp', NOW], { stdio: 'ignore' })
  const failed = new Promise((resolve, reject) => node.once('error', reject).once('exit', code => reject(new Error(`anvil ended: ${code}`))))
  const request = async (method, ...params) => {
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
    const answer = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    const { result, error } = await answer.json()
    if (error) throw new Error(`${method}: ${error.message}`)
    return result
  }
  const ready = async () => {
    for (;;) {
      try {
        return await request('eth_chainId')
      } catch (error) {
        if (error.cause?.code !== 'ECONNREFUSED') throw error
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    }
  }
  try {
    await Promise.race([ready(), failed])
    return await Promise.race([use(request), failed])
  } finally {
    failed.catch(() => {})
    node.kill()
  }
}

/** Sends from an account that anvil knows; returns the receipt. */
async function send (request, from, to, data) {
  const receipt = await request('eth_sendTransactionSync', { from: from.address, to, data, gas: '0x989680' })
  if (receipt.status !== '0x1') throw new Error(`reverted: ${data.slice(0, 10)}`)
  return receipt
}

/** Gas by part. A step's cost is the gas that is gone at the next one: so a precompile is in the call that asks it. */
function parts (receipt, trace, data) {
  const steps = trace.structLogs
  const bytes = hexToBytes(data)
  const zeros = bytes.filter(byte => byte === 0).length
  const cost = {
    base: 21000, calldata: 4 * zeros + 16 * (bytes.length - zeros), storage: 0, head: 0, log: 0, ecrecover: 0, hashing: 0, dispatch: 0, rest: 0
  }
  const selector = BigInt(data.slice(0, 10))
  const number = text => BigInt(text.startsWith('0x') ? text : `0x${text}`)
  let found = false
  steps.forEach(({ op, gas, gasCost, stack }, i) => {
    const spent = i + 1 < steps.length ? gas - steps[i + 1].gas : gasCost
    const top = () => number(stack.at(-1))
    let part = 'rest'
    if (!found) part = 'dispatch'
    else if (op === 'SSTORE' || op === 'SLOAD') part = top() === 0n ? 'head' : 'storage'
    else if (op.startsWith('LOG')) part = 'log'
    else if (op === 'STATICCALL' && number(stack.at(-2)) === 1n) part = 'ecrecover'
    else if (op === 'KECCAK256') part = 'hashing'
    cost[part] += spent
    if (op === 'EQ' && number(stack.at(-1)) === selector && number(stack.at(-2)) === selector) found = true
  })
  const total = Number(receipt.gasUsed)
  const sum = Object.values(cost).reduce((a, b) => a + b)
  if (!found || sum !== total) throw new Error(`the parts are ${sum}, the transaction cost ${total}`)
  const fixed = cost.base + cost.calldata + cost.storage + cost.head + cost.log + cost.ecrecover
  return { ...cost, fixed, total }
}

async function measure (request) {
  const artifact = JSON.parse(readFileSync(join(root, 'contracts/ImageRegistry.json'), 'utf8'))
  const roles = [{ role: word('VERIFIER_ROLE'), account: verifier.address }]
  const code = encodeDeployData({ abi: artifact.abi, bytecode: artifact.bytecode, args: [deployer.address, roles] })
  const { contractAddress: registry } = await send(request, deployer, undefined, code)
  const domain = { name: 'MedSeal', version: '1', chainId: 31337, verifyingContract: registry }
  const sign = (wallet, primaryType, message) => wallet.signTypedData({ domain, types: types(primaryType), primaryType, message })
  const measured = {}
  const act = async (name, from, functionName, args) => {
    const data = encodeFunctionData({ abi, functionName, args })
    const receipt = await send(request, from, registry, data)
    measured[name] = parts(receipt, await request('debug_traceTransaction', receipt.transactionHash), data)
  }

  const registration = salt => ({
    sender: sender.address, salt: word(salt), contentHash: word(`content ${salt}`), headerHash: word(`header ${salt}`), size: 135_512n,
    cid: '0x', capsulesHash: word(`capsules ${salt}`), capsulesCid: '0x', deadline: DEADLINE
  })
  const relayRegistration = async salt => {
    const value = registration(salt)
    await act('register, relayed', relayer, 'register', [value, await sign(sender, 'Registration', value)])
  }
  const imageId = keccak256(encodeAbiParameters(
    [{ type: 'uint256' }, { type: 'address' }, { type: 'address' }, { type: 'bytes32' }], [31337n, registry, sender.address, word('first')]
  ))
  const look = nonce => ({
    imageId, verifier: verifier.address, observedHash: registration('first').contentHash, observedAt: BigInt(NOW), nonce, deadline: DEADLINE
  })
  const relayLook = async nonce => {
    await act('verification, relayed', relayer, 'recordVerification', [look(nonce), await sign(verifier, 'Verification', look(nonce))])
  }

  await relayRegistration('first')
  await relayLook(0n)
  await relayRegistration('second')
  await relayLook(1n)
  await act('verification, direct', verifier, 'recordVerification', [{ ...look(0n), deadline: 0n }, '0x'])
  await act('grant, direct', sender, 'grant', [imageId, READERS[0], DEADLINE])
  const grant = { imageId, wallet: READERS[1], expiry: DEADLINE, accessSeq: 0n, by: sender.address, operatorSeq: 0n, deadline: DEADLINE }
  await act('grant, relayed', relayer, 'grantFor', [grant, await sign(sender, 'Grant', grant)])
  const anchor = { sender: sender.address, root: word('root'), count: 1000, leavesCid: concat(['0x01551220', word('leaves')]), deadline: DEADLINE }
  await act('anchor, relayed', relayer, 'anchor', [anchor, await sign(sender, 'Anchor', anchor)])
  const items = Array.from({ length: 100 }, (_, i) => {
    const { salt, contentHash, headerHash, capsulesHash, size } = registration(`item ${i}`)
    return { salt, contentHash, headerHash, capsulesHash, size }
  })
  const batch = { sender: sender.address, items, deadline: DEADLINE }
  await act('batch of 100, relayed', relayer, 'registerBatch', [batch, await sign(sender, 'Batch', batch)])
  return measured
}

/** Gas by part of each act, by its name. */
export const gasParts = () => withAnvil(measure)
