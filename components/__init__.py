"""The parts: what a factory is made of, and the facts they rest on."""
