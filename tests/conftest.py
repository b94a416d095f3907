"""What every test process needs: one thread for arithmetic, fixed before numpy is imported."""

from fechner.strategies.threads import fix

fix()
