import type { Abi, Address, Hex, PublicClient } from 'viem'

/** Where a registry is: its chain, its address, and keccak256 of its code. */
export interface Deployment { chainId: number, address: Address, codeHash: Hex }
/** What wallets sign. */
export type Signed =
  | 'Registration' | 'Batch' | 'Anchor' | 'Verification' | 'FlagDecision' | 'Grant' | 'Revocation' | 'OperatorChange' | 'CapsulesUpdate'

/** contracts/abi/ImageRegistry.json. */
export const abi: Abi
/** Reads deployments/CHAINID.json, as `medseal deploy` writes it. */
export function readDeployment (file: string | URL): Deployment
/** Typed data for `signTypedData` of a viem account or wallet client. */
export function typedData (deployment: Deployment, primaryType: Signed, message: Record<string, unknown>): {
  domain: { name: string, version: string, chainId: number, verifyingContract: Address }
  types: Record<string, { name: string, type: string }[]>
  primaryType: Signed
  message: Record<string, unknown>
}
/** The call that submits what was signed, for `simulateContract` and `writeContract`. */
export function relayCall (deployment: Deployment, primaryType: Signed, message: Record<string, unknown>, signature: Hex): {
  address: Address, abi: Abi, functionName: string, args: [Record<string, unknown>, Hex]
}
/** The registry at a node, its chain and its code checked. */
export function connect (deployment: Deployment, url: string): Promise<{
  client: PublicClient
  /** A view of the contract. */
  read (functionName: string, ...args: unknown[]): Promise<unknown>
  /** Whether a sealed image's bytes are those that were registered; an unknown image is an error. */
  verifyFile (imageId: Hex, bytes: Uint8Array): Promise<{ valid: boolean, contentHash: Hex }>
  /**
   * The message with the numbers that it must name (`accessSeq`, `operatorSeq`, `nonce`, `version`, `flagId`), as they are at the newest block.
   * Sign for no later one: whoever tells you a number to come may hold your signature back until it is there.
   */
  numbered (primaryType: Signed, message: Record<string, unknown>): Promise<Record<string, unknown>>
}>
