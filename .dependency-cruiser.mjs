// A folder may import only from rows above its own.
const adapters = 'wires|providers|catalogs|ledgers|stores|channels|importers|exporters|bills'
const rows = ['core', 'playbook', adapters, 'config', 'gateway', 'verbs', 'console|cli', 'main']
const at = (names) => `^src/(${names})(/|[.]ts$)`

export default {
  forbidden: [
    ...rows.slice(0, -1).map((names, i) => ({
      name: `${names}: look up, not down`,
      severity: 'error',
      from: { path: at(names) },
      to: { path: at(rows.slice(i + 1).join('|')) },
    })),
    {
      name: 'adapters are strangers',
      severity: 'error',
      from: { path: `^src/(${adapters})/` },
      to: { path: `^src/(${adapters})/`, pathNot: '^src/$1/' },
    },
    {
      name: 'plays are strangers, but for price and measure',
      severity: 'error',
      from: { path: '^src/playbook/(route|cache|batch|compact|own|allocate)/' },
      to: { path: '^src/playbook/', pathNot: '^src/playbook/($1|price|measure)/' },
    },
    { name: 'no cycles', severity: 'error', from: {}, to: { circular: true, viaOnly: { pathNot: 'node_modules' } } },
    {
      name: 'only the console knows hono',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/console/' },
      to: { path: 'node_modules/hono' },
    },
    {
      name: 'core and playbook touch no node, no network',
      severity: 'error',
      from: { path: '^src/(core|playbook)/' },
      to: { dependencyTypes: ['core', 'npm'] },
    },
    {
      name: 'the house does not know its tests, benches or demo',
      severity: 'error',
      from: { path: '^(src|simulator)/' },
      to: { path: '^(test|bench|demo)/' },
    },
    {
      name: 'the simulator is an independent witness: it shares no code with the meter',
      severity: 'error',
      from: { path: '^simulator/' },
      to: { path: '^src/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
  },
}
