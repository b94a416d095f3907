"""The search space: parameters and outcomes, their unit coordinates, constraints between them."""
