"""The launcher's side of a run: where its nodes start, how they meet, and who watches over their ranks."""
