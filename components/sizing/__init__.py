"""How many GPUs a demand takes: memory, speed, cut and replicas, as plain arithmetic on catalog rows.

`size.size(demand, geometry, card, options, constants)` gives a `Sizing` with every step of its reasoning, or a
`Refusal` with the number that would fix it. `geometry.geometry(row)` and `card.card(row)` read catalog rows.
Nothing here knows parts, sites or documents. How good it is stands in docs/accuracy.md.
"""
