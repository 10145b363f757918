// How an app uses contracts/js, for the compiler alone (types.mjs): each `@ts-expect-error` stands over a mistake that it must find.

import { connect, readDeployment, relayCall, typedData } from 'medseal-registry'
import type { Deployment, Signed } from 'medseal-registry'
import { createPublicClient, createWalletClient, http } from 'viem'
import type { Account, Address, Hex } from 'viem'

export async function allow (file: string, url: string, sender: Account, relayer: Account, imageId: Hex, wallet: Address): Promise<Hex> {
  const deployment: Deployment = readDeployment(file)
  const transport = http(url)
  const deadline = BigInt(Math.floor(Date.now() / 1000) + 3600)
  const { numbered } = await connect(deployment, url)
  const grant = await numbered('Grant', { imageId, wallet, expiry: 2_000_000_000n, by: sender.address, deadline })
  const signature = await createWalletClient({ account: sender, transport }).signTypedData(typedData(deployment, 'Grant', grant))
  const call = relayCall(deployment, 'Grant', grant, signature)
  await createPublicClient({ transport }).simulateContract({ account: relayer, ...call })
  return await createWalletClient({ account: relayer, transport }).writeContract({ chain: null, ...call })
}

export async function look (deployment: Deployment, url: string, imageId: Hex, bytes: Uint8Array): Promise<string> {
  const { client, read, verifyFile } = await connect(deployment, url)
  const { valid, contentHash } = await verifyFile(imageId, bytes)
  const height: bigint = await client.getBlockNumber()
  return `${contentHash} ${valid} ${height} ${String(await read('recordOf', imageId))}`
}

export const known: Signed[] = ['Registration', 'Batch', 'Anchor', 'Verification', 'FlagDecision', 'Grant', 'Revocation', 'OperatorChange', 'CapsulesUpdate']

export function mistakes (deployment: Deployment): void {
  // @ts-expect-error no such struct
  typedData(deployment, 'Permit', {})
  // @ts-expect-error an address is 0x-hex
  typedData({ ...deployment, address: 'somewhere' }, 'Grant', {})
  // @ts-expect-error the signature is missing
  relayCall(deployment, 'Grant', {})
  // @ts-expect-error a message has fields
  typedData(deployment, 'Grant', 'a grant')
}
