// Has the TypeScript compiler check contracts/js/index.d.ts and the app in types.ts against viem's own types:  node tests/clients/types.mjs

import { join } from 'node:path'
import { load, root } from '../oracles/interface.mjs'

const ts = load('typescript')
const tools = process.env.MEDSEAL_TOOLS ?? join(root, 'target/tools')
const options = {
  strict: true,
  noEmit: true,
  types: [],
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  paths: { 'medseal-registry': [join(root, 'contracts/js/index.d.ts')], viem: [join(tools, 'node_modules/viem')] }
}
const files = [join(root, 'contracts/js/index.d.ts'), join(root, 'tests/clients/types.ts')]
const program = ts.createProgram(files, options)
// Of our files alone: what viem's dependencies say among themselves is not ours to mend.
const wrong = [
  ...program.getOptionsDiagnostics(),
  ...files.map(file => program.getSourceFile(file)).flatMap(file => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
]
if (wrong.length > 0) {
  console.error(ts.formatDiagnostics(wrong, { getCanonicalFileName: name => name, getCurrentDirectory: () => root, getNewLine: () => '\n' }))
  process.exit(1)
}
console.log('1 passed')
