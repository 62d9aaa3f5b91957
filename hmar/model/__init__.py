"""The network: trunk, experts, router, KAN hash heads, and the bundle that carries them."""
