"""A small factory that serves as a person would write it."""

from __future__ import annotations

from support.written import SITE, changed

SERVED = """\
aifactory: v1
name: demo
demand:
  models:
    - name: llama-3.1-8b
      data_class: customer
      requests_per_s: {mean: 1.0, peak: 4.0}
      input_tokens: 800
      output_tokens: 200
      longest_tokens: 8192
      itl_ms: 40
residency:
  data_classes:
    customer: {jurisdictions: [eu], operators: [eu]}
placement:
  core:
    sites: [lab]
parts:
  - kind: gpu-node-pool
    name: serve
    accelerator: h200
    nodes: demand
    workload: inference
    fabric: rdma
  - kind: queue
    name: teams
    pools: [serve]
    tenants:
      - {name: product, workload: inference, gpus: demand}
  - kind: serving
    name: chat
    model: llama-3.1-8b
    pool: serve
    tenant: product
    precision: fp8
    weights: {kind: oci, image: "registry.example.com/models/llama:1"}
  - kind: endpoint
    name: door
    reach: site
"""
ENDPOINTS = """\
endpoints:
  domain: ai.example.com
  clients: [192.0.2.0/24]
"""
GIVEN = """\
  provides:
    gateway-api: {version: v1.6.1}
    inference-extension: {version: v1.6.0}
    load-balancer: {version: v0.15.2}
"""
SERVED_SITE = changed(SITE, "  provides:\n", GIVEN) + ENDPOINTS
