"""The network: backbone, experts, router, KAN hash heads, and the bundle that carries them."""
