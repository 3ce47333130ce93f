/** What `weir init` writes. Lines with one # are settings to uncomment; lines with ## explain. */
export const template = `## Weir's configuration. Everything has a default, so every line here is a choice.
## The whole reference: docs/configuration.md. \${NAME} takes a value from the environment; within { } put quotes around it.

## Where the gateway listens. Other machines may reach it only in keys mode.
host: 127.0.0.1
port: 4141

## The console, the HTTP API for dashboards and automation, on this machine only: a port, or off.
# console: 4142

## pass-through: clients send their own provider key, and Weir only meters.
## keys: clients send a Weir key (weir keys create), and Weir sends the provider's key.
mode: pass-through

## Journal, ledger and keys; counted from this file's folder.
data: ./weir-data

## The organisation's display name.
# organisation: Example Ltd

## Every built-in provider is there already at its own address. Name one here to change it, or to add your own.
# providers:
#   openai:
#     api_key: \${OPENAI_API_KEY}
#   azure-eu:
#     adapter: azure-openai
#     base_url: https://example.openai.azure.com
#     api_key: \${AZURE_OPENAI_API_KEY}
#   vllm:
##     Any server that speaks OpenAI's format needs no adapter. Call it at /vllm/chat/completions.
#     base_url: http://127.0.0.1:8000/v1

## Calls that match go to the first target that works; a target without a model keeps the one asked.
# routes:
#   - match: { model: gpt-*, team: search }
#     targets: [openai, azure-eu]

## Ways to spend less, each off until it is named here: docs/levers.md. "observe" works out and records what one would
## save, and changes nothing; weir advise says which to turn on.
# levers:
#   cache/exact: observe
# policies:
#   - match: { team: support, model: "claude-*" }
#     holdout: 0.05
#     levers: { cache/provider-prefix: on }

## What some levers use: embeddings for cache/semantic and compact/retrieval.
# services:
#   embedder: { provider: openai, model: text-embedding-3-small }

## Prices of your own contract, in US dollars per million units; they go before all others.
# prices:
#   - provider: openai
#     models: [gpt-5.5]
#     rates: { in.text.fresh: 2.00, in.text.cache_read: 0.20, out.text.visible: 12.00, out.text.reasoning: 12.00 }
#     effective_from: 2026-11-01
#     source: contract 2026-118

## Who may spend how much in which time: docs/budgets.md. "each" gives every value a counter of its own.
# budgets:
#   - { name: company, limit: { usd: 5000 }, per: month, zone: Europe/Berlin }
#   - { name: search, scope: { team: search }, limit: { usd: 50 }, per: day }
#   - { name: agent-runs, scope: { session: each }, limit: { usd: 5, calls: 300 }, per: lifetime }

## What one call may take.
# limits:
#   body_bytes: 67108864
#   concurrent_calls: 2000
#   connect_ms: 10000
#   head_ms: 600000
#   idle_ms: 300000
#   attempts: 3
#   drain_ms: 30000
#   drain_bytes: 8388608
#   shutdown_delay_ms: 0
#   shutdown_ms: 30000

## So many failures in a row keep a provider out for so long.
# breaker: { failures: 5, open_ms: 15000 }

## When a client leaves amid an answer: as it is cheapest with the provider, or always cancel, or always drain.
# on_client_gone: provider

## Calls whose price nobody knows count against budgets at this ceiling, in US dollars per million tokens.
# unpriced_ceiling: { input: 150, output: 600 }
# reserve_output_tokens: 16384

## Where alerts go, and who is told of what: docs/alerts.md. Without channels they are listed by: weir alerts
# channels:
#   ops: { type: slack, url: "\${SLACK_WEBHOOK}" }
#   pager: { type: pagerduty, routing_key: "\${PAGERDUTY_KEY}" }
# alerts:
#   zone: Europe/Berlin
#   routes:
#     - match: { severity: critical }
#       channels: [pager]
#     - match: {}
#       channels: [ops]
#   contain:
#     runaway-session: { action: stop, minutes: 60 }

# threads: 1
# log_level: warn
`
